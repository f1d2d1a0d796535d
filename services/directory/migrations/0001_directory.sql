-- Providers, offices, placements and groups of every organization; suggestions made from them.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TYPE provider_state AS ENUM ('DRAFT', 'SUBMITTED', 'APPROVED', 'REJECTED', 'OFFBOARDING', 'REMOVED');
CREATE TYPE office_state AS ENUM ('PLANNED', 'READY', 'LIVE', 'CLOSING', 'CLOSED');
CREATE TYPE group_state AS ENUM ('INCOMPLETE', 'READY', 'REMOVING', 'REMOVED');

-- Where a thing that is leaving stands with its fence: OPEN, the fence is up and people drain the work; REMOVING, the end
-- is under way and is resumed after a crash; KEEPING, the thing stays and the fence is being lowered.
CREATE TYPE fence_step AS ENUM ('OPEN', 'REMOVING', 'KEEPING');

-- The Luhn check digit of an NPI over 80840 and its ten digits; 24 is what the prefix adds.
CREATE FUNCTION npi_is_valid(npi text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT RETURN
    CASE WHEN npi ~ '^[12][0-9]{9}$' THEN (
        SELECT (24 + sum(CASE WHEN place % 2 = 0 THEN digit ELSE digit * 2 / 10 + digit * 2 % 10 END)) % 10 = 0
        FROM (SELECT place, substr(npi, place, 1)::integer AS digit FROM generate_series(1, 10) AS place) AS digits
    ) ELSE false END;

-- Provider specialties by NUCC taxonomy code, shared by the whole network.
CREATE TABLE specialties (
    code text PRIMARY KEY CHECK (code ~ '^[0-9A-Z]{9}X$'),
    grouping text NOT NULL CHECK (grouping <> ''),
    classification text NOT NULL CHECK (classification <> ''),
    specialization text CHECK (specialization <> ''),
    name text NOT NULL UNIQUE CHECK (name <> '')
);

-- What an organization has decided; without a row the defaults hold.
CREATE TABLE organization_settings (
    organization_id uuid PRIMARY KEY,
    second_approver boolean NOT NULL DEFAULT false,
    suggest_groups_from integer NOT NULL DEFAULT 3 CHECK (suggest_groups_from BETWEEN 2 AND 100),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0)
);

CREATE TABLE providers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    state provider_state NOT NULL DEFAULT 'DRAFT',
    npi text CHECK (npi_is_valid(npi)),
    first_name text NOT NULL CHECK (char_length(first_name) BETWEEN 1 AND 100),
    last_name text NOT NULL CHECK (char_length(last_name) BETWEEN 1 AND 100),
    credential text NOT NULL DEFAULT '' CHECK (char_length(credential) <= 100),
    phone text NOT NULL DEFAULT '' CHECK (char_length(phone) <= 40),
    -- A change of an approved profile that waits for its approval; the old values hold until then.
    proposed jsonb,
    proposed_by uuid,
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    submitted_by uuid,
    approved_at timestamptz,
    rejection_reason text CHECK (char_length(rejection_reason) BETWEEN 1 AND 500),
    fence fence_step,
    fence_at timestamptz,
    -- Whether offboarding was started for its own sake: then a refused removal leaves the fence up.
    offboarding boolean NOT NULL DEFAULT false,
    -- The state to go back to when the provider is kept.
    state_before provider_state,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (organization_id, id),
    CHECK ((fence IS NOT NULL) = (state = 'OFFBOARDING')),
    CHECK ((fence IS NULL) = (fence_at IS NULL) AND (fence IS NULL) = (state_before IS NULL)),
    CHECK (state <> 'APPROVED' OR (npi IS NOT NULL AND approved_at IS NOT NULL)),
    CHECK (state <> 'SUBMITTED' OR submitted_by IS NOT NULL),
    CHECK ((state = 'REJECTED') = (rejection_reason IS NOT NULL) OR state IN ('OFFBOARDING', 'REMOVED')),
    CHECK ((proposed IS NULL) = (proposed_by IS NULL))
);
CREATE UNIQUE INDEX providers_npi ON providers (organization_id, npi) WHERE state <> 'REMOVED';
CREATE INDEX providers_name ON providers USING gin ((last_name || ' ' || first_name) gin_trgm_ops);
CREATE INDEX providers_by_name ON providers (organization_id, last_name, first_name, id);
CREATE INDEX providers_fenced ON providers (fence_at) WHERE fence IS NOT NULL;

-- The specialties of a provider; the one of rank 1 is the primary one.
CREATE TABLE provider_specialties (
    provider_id uuid NOT NULL REFERENCES providers,
    rank smallint NOT NULL CHECK (rank > 0),
    code text NOT NULL REFERENCES specialties,
    PRIMARY KEY (provider_id, rank),
    UNIQUE (provider_id, code)
);
CREATE INDEX provider_specialties_code ON provider_specialties (code, provider_id);

CREATE TABLE offices (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    line1 text NOT NULL CHECK (char_length(line1) BETWEEN 1 AND 200),
    line2 text NOT NULL DEFAULT '' CHECK (char_length(line2) <= 200),
    city text NOT NULL CHECK (char_length(city) BETWEEN 1 AND 100),
    region text NOT NULL CHECK (region ~ '^[A-Z]{2}$'),
    postal_code text NOT NULL CHECK (postal_code ~ '^[0-9]{5}(-[0-9]{4})?$'),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    phone text NOT NULL CHECK (char_length(phone) BETWEEN 1 AND 40),
    time_zone text NOT NULL,
    group_only boolean NOT NULL DEFAULT false,
    state office_state NOT NULL DEFAULT 'PLANNED',
    go_live_on date NOT NULL,
    -- Days between the day the office was added and its first day, and why they were fewer than seven (R16).
    lead_days integer NOT NULL CHECK (lead_days >= 0),
    lead_reason text CHECK (char_length(lead_reason) BETWEEN 1 AND 500),
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    live_at timestamptz,
    closed_at timestamptz,
    fence fence_step,
    fence_at timestamptz,
    state_before office_state,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (organization_id, id),
    CONSTRAINT offices_lead_time CHECK (lead_days >= 7 OR lead_reason IS NOT NULL),
    CHECK ((fence IS NOT NULL) = (state = 'CLOSING')),
    CHECK ((fence IS NULL) = (fence_at IS NULL) AND (fence IS NULL) = (state_before IS NULL)),
    CHECK (state <> 'LIVE' OR live_at IS NOT NULL),
    CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX offices_name ON offices (organization_id, lower(name)) WHERE state <> 'CLOSED';
CREATE INDEX offices_planned ON offices (go_live_on) WHERE state IN ('PLANNED', 'READY');
CREATE INDEX offices_fenced ON offices (fence_at) WHERE fence IS NOT NULL;

-- A provider at an office, from a day until the day after the last. Two placements of a provider at one office never share
-- a day. A placement that ended before it began covers no day.
CREATE TABLE placements (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    effective_from date NOT NULL,
    effective_until date,
    accepting_new_patients boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    FOREIGN KEY (organization_id, provider_id) REFERENCES providers (organization_id, id),
    FOREIGN KEY (organization_id, office_id) REFERENCES offices (organization_id, id),
    CHECK (effective_until >= effective_from),
    CONSTRAINT placements_overlap EXCLUDE USING gist (
        provider_id WITH =, office_id WITH =, daterange(effective_from, effective_until) WITH &&
    )
);
CREATE INDEX placements_office ON placements (office_id, provider_id);

-- Whether half-open days have one left, today included, where the office reads its calendar.
CREATE FUNCTION remains(first date, until date, zone text, at timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN
    until IS NULL OR until > greatest(first, (at AT TIME ZONE zone)::date);

-- A set of providers who receive or send referrals together at one or more offices.
CREATE TABLE groups (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    state group_state NOT NULL DEFAULT 'INCOMPLETE',
    may_send boolean NOT NULL,
    may_receive boolean NOT NULL,
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    ready_at timestamptz,
    fence fence_step,
    fence_at timestamptz,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (organization_id, id),
    CHECK ((fence IS NOT NULL) = (state = 'REMOVING')),
    CHECK ((fence IS NULL) = (fence_at IS NULL)),
    CHECK (state <> 'READY' OR ready_at IS NOT NULL)
);
CREATE UNIQUE INDEX groups_name ON groups (organization_id, lower(name)) WHERE state <> 'REMOVED';
CREATE INDEX groups_fenced ON groups (fence_at) WHERE fence IS NOT NULL;

CREATE TABLE group_offices (
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL,
    office_id uuid NOT NULL,
    PRIMARY KEY (group_id, office_id),
    FOREIGN KEY (organization_id, group_id) REFERENCES groups (organization_id, id),
    FOREIGN KEY (organization_id, office_id) REFERENCES offices (organization_id, id)
);
CREATE INDEX group_offices_office ON group_offices (office_id);

CREATE TABLE group_providers (
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    PRIMARY KEY (group_id, provider_id),
    FOREIGN KEY (organization_id, group_id) REFERENCES groups (organization_id, id),
    FOREIGN KEY (organization_id, provider_id) REFERENCES providers (organization_id, id)
);
CREATE INDEX group_providers_provider ON group_providers (provider_id);

-- The users who work for a group; identity says whether they have confirmed their account.
CREATE TABLE group_staff (
    group_id uuid NOT NULL REFERENCES groups,
    user_id uuid NOT NULL,
    confirmed boolean NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_staff_user ON group_staff (user_id);

-- Several providers of one classification at an office whom no group covers (R20).
CREATE TYPE suggestion_end AS ENUM ('GROUP_ADDED', 'DISMISSED', 'NO_LONGER_TRUE');
CREATE TABLE suggestions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    classification text NOT NULL,
    specialty_code text NOT NULL REFERENCES specialties,
    provider_ids uuid[] NOT NULL CHECK (cardinality(provider_ids) > 0),
    raised_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because suggestion_end,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    FOREIGN KEY (organization_id, office_id) REFERENCES offices (organization_id, id),
    CHECK ((closed_at IS NULL) = (closed_because IS NULL))
);
CREATE UNIQUE INDEX suggestions_open ON suggestions (office_id, classification) WHERE closed_at IS NULL;
CREATE INDEX suggestions_of ON suggestions (organization_id, raised_at, id);

-- What an import call answered, row by row, so that its retry is answered alike.
CREATE TABLE import_batches (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    imported_by uuid NOT NULL,
    imported_at timestamptz NOT NULL,
    results jsonb NOT NULL
);
