-- How often it was heard that a provider left an office (or every office: office_id NULL), or that everybody left an office
-- (provider_id NULL). Whoever adds a participation compares the count of before directory was asked with that of now.
CREATE TABLE departures (
    organization_id uuid NOT NULL,
    provider_id uuid,
    office_id uuid,
    heard integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, provider_id, office_id),
    CHECK (provider_id IS NOT NULL OR office_id IS NOT NULL)
);
