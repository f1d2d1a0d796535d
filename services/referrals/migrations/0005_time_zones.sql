-- The time zone in which an organization reads its calendar, as identity told it.
CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY,
    time_zone text NOT NULL
);
