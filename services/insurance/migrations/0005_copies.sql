-- What is accepted at one place, copied to another (R27): only ever added, and as it was when the copy was started.
CREATE TABLE copies (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    from_provider_id uuid,
    from_office_id uuid,
    to_provider_id uuid,
    to_office_id uuid,
    effective_from date NOT NULL,
    started_at timestamptz NOT NULL,
    started_by uuid NOT NULL,
    total integer NOT NULL CHECK (total >= 0),
    done integer NOT NULL DEFAULT 0 CHECK (done BETWEEN 0 AND total),
    finished_at timestamptz,
    CHECK (from_provider_id IS NOT NULL OR from_office_id IS NOT NULL),
    CHECK (to_provider_id IS NOT NULL OR to_office_id IS NOT NULL),
    CHECK ((finished_at IS NOT NULL) = (done = total))
);
CREATE INDEX copies_of ON copies (organization_id, id);
CREATE INDEX copies_unfinished ON copies (id) WHERE finished_at IS NULL;
ALTER TABLE copies ENABLE ROW LEVEL SECURITY;
ALTER TABLE copies FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON copies USING (in_scope(organization_id));

CREATE TYPE copy_outcome AS ENUM ('ADDED', 'ALREADY_THERE', 'NOT_AT_OFFICE', 'SOURCE_CHANGED', 'NOT_OFFERED');

-- One row that is copied: from which, how far that one reached then, to where; and what became of it.
CREATE TABLE copy_items (
    copy_id uuid NOT NULL REFERENCES copies,
    place integer NOT NULL CHECK (place > 0),
    organization_id uuid NOT NULL,
    source_id uuid NOT NULL REFERENCES participations,
    source_until date,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    plan_id uuid NOT NULL REFERENCES insurance_plans,
    effective_from date NOT NULL,
    effective_until date,
    outcome copy_outcome,
    participation_id uuid REFERENCES participations,
    PRIMARY KEY (copy_id, place),
    CHECK (outcome IS DISTINCT FROM 'ADDED' OR participation_id IS NOT NULL)
);
CREATE INDEX copy_items_waiting ON copy_items (copy_id, place) WHERE outcome IS NULL;
ALTER TABLE copy_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE copy_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON copy_items USING (in_scope(organization_id));
