-- Whom it was told that a version of a guide is for them to read (R30): each person once for each version, whatever the number of
-- their offices. Who is not asked any more has no row.
CREATE TABLE guide_asks (
    organization_id uuid NOT NULL,
    guide_id uuid NOT NULL,
    user_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (guide_id, user_id),
    FOREIGN KEY (organization_id, guide_id) REFERENCES guides (organization_id, id)
);
CREATE INDEX guide_asks_of ON guide_asks (organization_id);

ALTER TABLE guide_asks ENABLE ROW LEVEL SECURITY;
ALTER TABLE guide_asks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guide_asks USING (in_scope(organization_id));
