-- Who works where, as directory told it: a campaign has an item for each provider at an office.
CREATE TABLE placements (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    effective_from date NOT NULL,
    effective_until date
);
CREATE INDEX placements_of ON placements (organization_id, provider_id, office_id);
ALTER TABLE placements ENABLE ROW LEVEL SECURITY;
ALTER TABLE placements FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON placements USING (in_scope(organization_id));

-- Who answers for an organization's insurance data, as identity told it.
CREATE TYPE answering_role AS ENUM ('CLIENT_ADMIN', 'INSURANCE_MANAGER');
CREATE TABLE role_holders (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role answering_role NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (organization_id, role, user_id)
);
ALTER TABLE role_holders ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_holders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON role_holders USING (in_scope(organization_id));

-- An organization's first campaign is that of the first 1 January after it was added (R29). Those that are here already were
-- added before now.
ALTER TABLE organizations ADD COLUMN added_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE organizations ALTER COLUMN added_at DROP DEFAULT;

-- A review of what is accepted where: of everything at the start of a year (one campaign of an organization a year, however
-- often the job runs), or of what a major change touches: the plans of some payers, or some plans.
CREATE TABLE campaigns (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    year integer,
    reason text CHECK (reason = btrim(reason) AND char_length(reason) BETWEEN 1 AND 500),
    payer_ids uuid[] NOT NULL DEFAULT '{}',
    plan_ids uuid[] NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL,
    opened_on date NOT NULL,
    opened_by uuid,
    due_on date NOT NULL CHECK (due_on >= opened_on),
    assigned_to uuid,
    reminded_on date,
    escalated_on date,
    closed_at timestamptz,
    closed_because text CHECK (closed_because IN ('DONE', 'CALLED_OFF', 'SUPERSEDED')),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CONSTRAINT campaigns_one_a_year UNIQUE (organization_id, year),
    CHECK ((year IS NULL) = (reason IS NOT NULL)),
    CHECK (year IS NULL OR payer_ids = '{}' AND plan_ids = '{}'),
    CHECK (year IS NOT NULL OR payer_ids <> '{}' OR plan_ids <> '{}'),
    CHECK ((closed_at IS NULL) = (closed_because IS NULL))
);
CREATE INDEX campaigns_of ON campaigns (organization_id, id);
CREATE INDEX campaigns_open ON campaigns (organization_id) WHERE closed_at IS NULL;
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON campaigns USING (in_scope(organization_id));

CREATE TYPE item_state AS ENUM ('OPEN', 'ATTESTED', 'DROPPED');

-- One provider at one office: open, attested by somebody, or dropped because the provider works there no more.
CREATE TABLE campaign_items (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    state item_state NOT NULL DEFAULT 'OPEN',
    opened_at timestamptz NOT NULL,
    settled_at timestamptz,
    settled_by uuid,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CONSTRAINT campaign_items_one_a_place UNIQUE (campaign_id, provider_id, office_id),
    CHECK ((state = 'OPEN') = (settled_at IS NULL)),
    CHECK ((state = 'ATTESTED') = (settled_by IS NOT NULL))
);
CREATE INDEX campaign_items_of ON campaign_items (campaign_id, id);
CREATE INDEX campaign_items_open ON campaign_items (organization_id, provider_id, office_id) WHERE state = 'OPEN';
ALTER TABLE campaign_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON campaign_items USING (in_scope(organization_id));

-- In which weeks (by their Mondays) client admins were told that nobody is insurance manager.
CREATE TABLE manager_reminders (
    organization_id uuid NOT NULL,
    week date NOT NULL,
    PRIMARY KEY (organization_id, week)
);
ALTER TABLE manager_reminders ENABLE ROW LEVEL SECURITY;
ALTER TABLE manager_reminders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON manager_reminders USING (in_scope(organization_id));
