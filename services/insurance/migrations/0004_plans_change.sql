-- Payers and plans change: they are renamed, end, and are merged into others; who looks for a former name finds them.
ALTER TABLE payers ADD COLUMN former_names text[] NOT NULL DEFAULT '{}';
ALTER TABLE insurance_plans
    ADD COLUMN former_names text[] NOT NULL DEFAULT '{}',
    ADD COLUMN successor_id uuid REFERENCES insurance_plans,
    ADD CHECK (successor_id <> id),
    ADD CHECK (successor_id IS NULL OR effective_until IS NOT NULL);

-- The payer ends a plan, or merges it into its successor, on a day: the participations of every organization follow, some at a
-- time. `done` of `total` were ended so far.
CREATE TABLE plan_endings (
    id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES insurance_plans,
    ends_on date NOT NULL,
    successor_id uuid REFERENCES insurance_plans,
    started_at timestamptz NOT NULL,
    started_by uuid NOT NULL,
    total integer NOT NULL CHECK (total >= 0),
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    finished_at timestamptz
);
CREATE INDEX plan_endings_unfinished ON plan_endings (id) WHERE finished_at IS NULL;
CREATE INDEX plan_endings_of ON plan_endings (plan_id, id);

-- Which organizations were told of it.
CREATE TABLE plan_endings_told (
    ending_id uuid NOT NULL REFERENCES plan_endings,
    organization_id uuid NOT NULL,
    PRIMARY KEY (ending_id, organization_id)
);
ALTER TABLE plan_endings_told ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_endings_told FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON plan_endings_told USING (in_scope(organization_id));

-- A row that was made after another one, by a copy or by the merger of its plan, names it; nobody has verified it yet.
ALTER TABLE participations ADD COLUMN copied_from uuid REFERENCES participations;
CREATE INDEX participations_of_plan ON participations (plan_id, organization_id);
CREATE INDEX participations_due ON participations (organization_id, last_verified_on NULLS FIRST, id);

CREATE OR REPLACE FUNCTION participations_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (new.id, new.batch_id, new.organization_id, new.provider_id, new.office_id, new.plan_id)
            IS DISTINCT FROM (old.id, old.batch_id, old.organization_id, old.provider_id, old.office_id, old.plan_id)
        OR (new.effective_from, new.source, new.added_at, new.added_by, new.copied_from)
            IS DISTINCT FROM (old.effective_from, old.source, old.added_at, old.added_by, old.copied_from)
        OR coalesce(new.effective_until, 'infinity') > coalesce(old.effective_until, 'infinity')
        OR coalesce(new.last_verified_on, '-infinity') < coalesce(old.last_verified_on, '-infinity')
        OR new.version <> old.version + 1
    THEN
        RAISE EXCEPTION 'participations keep their history' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END $$;

-- How a row was verified: by adding it, by itself, or with the item of a campaign; and until when it stood at that time.
CREATE TYPE verification_means AS ENUM ('ADDED', 'VERIFIED', 'ATTESTED');
ALTER TABLE participation_verifications
    ADD COLUMN means verification_means NOT NULL DEFAULT 'VERIFIED',
    ADD COLUMN effective_until date,
    ADD COLUMN item_id uuid;
CREATE INDEX participation_verifications_of_item ON participation_verifications (item_id) WHERE item_id IS NOT NULL;

-- Rows that were verified together, and what became of each.
CREATE TABLE verification_batches (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    verified_by uuid NOT NULL,
    verified_at timestamptz NOT NULL,
    outcomes jsonb NOT NULL
);
ALTER TABLE verification_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE verification_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON verification_batches USING (in_scope(organization_id));
