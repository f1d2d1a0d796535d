-- Payers and plans are shared by the whole network; a participation belongs to an organization.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The product types of the Plan-Net directory standard.
CREATE TYPE product_type AS ENUM (
    'COMMPPO', 'COMMHDHP', 'COMMPOS', 'COMMHMO', 'COMMEPO',
    'MEDI', 'MEDIHMO', 'MEDIADV', 'MEDIADVHMO', 'MEDIA', 'MEDIB', 'MEDID', 'MEDIAB',
    'QHP', 'IHS', 'FEP', 'TRI', 'VA', 'DENT', 'DENTHMO', 'VIS', 'VISHMO'
);

-- Who said that the provider accepts the plan.
CREATE TYPE participation_source AS ENUM ('ORGANIZATION', 'PAYER', 'IMPORT');

CREATE TABLE payers (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 200),
    added_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE UNIQUE INDEX payers_name ON payers (lower(name));

-- Identifiers of a payer in the systems of others; one identifier means one payer.
CREATE TABLE payer_identifiers (
    system text NOT NULL CHECK (char_length(system) BETWEEN 1 AND 200),
    value text NOT NULL CHECK (char_length(value) BETWEEN 1 AND 200),
    payer_id uuid NOT NULL REFERENCES payers,
    CONSTRAINT payer_identifiers_one_payer PRIMARY KEY (system, value)
);
CREATE INDEX payer_identifiers_of ON payer_identifiers (payer_id);

-- A plan is offered from a day, and until a day once its payer has ended it. Self-pay is the one plan without a payer.
CREATE TABLE insurance_plans (
    id uuid PRIMARY KEY,
    payer_id uuid REFERENCES payers,
    product_type product_type,
    name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 200),
    self_pay boolean NOT NULL DEFAULT false,
    effective_from date NOT NULL,
    effective_until date CHECK (effective_until > effective_from),
    added_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK (self_pay = (payer_id IS NULL) AND self_pay = (product_type IS NULL))
);
CREATE UNIQUE INDEX insurance_plans_name ON insurance_plans (payer_id, lower(name));
CREATE UNIQUE INDEX insurance_plans_self_pay ON insurance_plans (self_pay) WHERE self_pay;

INSERT INTO insurance_plans (id, name, self_pay, effective_from, added_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'Self-pay', true, '1970-01-01', 'epoch');

-- The time zone in which an organization reads its calendar, as identity told it.
CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY,
    time_zone text NOT NULL
);

-- Provider x office x plan, from a day until the day after the last (R27). A row that ended before it began covers no day:
-- its placement went away first. `batch_id` is the call that added it.
CREATE TABLE participations (
    id uuid PRIMARY KEY,
    batch_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    plan_id uuid NOT NULL REFERENCES insurance_plans,
    effective_from date NOT NULL,
    effective_until date,
    source participation_source NOT NULL,
    added_at timestamptz NOT NULL,
    added_by uuid NOT NULL,
    ended_at timestamptz,
    ended_by uuid,
    last_verified_on date,
    last_verified_by uuid,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CONSTRAINT participations_period CHECK (
        effective_until > effective_from OR (ended_at IS NOT NULL AND effective_until = effective_from)
    ),
    CHECK ((last_verified_on IS NULL) = (last_verified_by IS NULL)),
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT participations_overlap EXCLUDE USING gist (
        organization_id WITH =, provider_id WITH =, office_id WITH =, plan_id WITH =,
        daterange(effective_from, effective_until, '[)') WITH &&
    )
);
CREATE INDEX participations_of_provider ON participations (provider_id, office_id);
CREATE INDEX participations_of_office ON participations (office_id, provider_id);
CREATE INDEX participations_of_organization ON participations (organization_id, id);
CREATE INDEX participations_of_batch ON participations (batch_id);

-- Every time somebody said that a row is still true.
CREATE TABLE participation_verifications (
    participation_id uuid NOT NULL REFERENCES participations,
    verified_on date NOT NULL,
    verified_by uuid NOT NULL,
    verified_at timestamptz NOT NULL,
    PRIMARY KEY (participation_id, verified_at)
);

-- History does not change (R27): a row may end earlier than it said and may be verified; anything else is a new row.
CREATE FUNCTION participations_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (new.id, new.batch_id, new.organization_id, new.provider_id, new.office_id, new.plan_id)
            IS DISTINCT FROM (old.id, old.batch_id, old.organization_id, old.provider_id, old.office_id, old.plan_id)
        OR (new.effective_from, new.source, new.added_at, new.added_by)
            IS DISTINCT FROM (old.effective_from, old.source, old.added_at, old.added_by)
        OR coalesce(new.effective_until, 'infinity') > coalesce(old.effective_until, 'infinity')
        OR new.version <> old.version + 1
    THEN
        RAISE EXCEPTION 'participations keep their history' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER participations_history BEFORE UPDATE OR DELETE ON participations
    FOR EACH ROW EXECUTE FUNCTION participations_keep_history();
