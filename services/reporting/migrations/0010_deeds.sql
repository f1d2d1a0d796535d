-- For which plan, and why outside of it: only the sender's organization hears them.
ALTER TABLE referral_changes
    ADD COLUMN plan_id uuid,
    ADD COLUMN outside_plan_reason text;

-- What was done with referrals at an office, whether for a group or not: what offices, providers, plans and reasons are measured by.
-- Made of the same steps as moments, by services/reporting/domain/deeds.py.
CREATE TYPE deed_kind AS ENUM (
    'SENT', 'RECEIVED', 'ACKNOWLEDGED', 'SCHEDULED', 'COMPLETED', 'DECLINED', 'NO_SHOW', 'APPOINTMENT_OVER', 'LOOP_CLOSED'
);
CREATE TABLE deeds (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    sequence bigint NOT NULL,
    kind deed_kind NOT NULL,
    at timestamptz NOT NULL,
    waited interval NOT NULL,
    office_id uuid NOT NULL,
    provider_id uuid,
    reason_code text,
    plan_id uuid,
    outside_plan boolean,
    PRIMARY KEY (organization_id, referral_id, sequence, kind)
);
CREATE INDEX deeds_of ON deeds (organization_id, at);

-- When somebody last looked at a provider's approved profile. One who was removed is not here.
CREATE TABLE profiles (
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    verified_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, provider_id)
);

-- Reviews of what is accepted where.
CREATE TABLE campaigns (
    organization_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    kind text NOT NULL,
    items integer NOT NULL,
    attested integer NOT NULL DEFAULT 0,
    due_on date NOT NULL,
    opened_at timestamptz NOT NULL,
    escalated_at timestamptz,
    closed_at timestamptz,
    closed_because text,
    PRIMARY KEY (organization_id, campaign_id)
);

-- Why somebody has left: because an admin said so, or by not signing in for 90 days.
ALTER TABLE people ADD COLUMN left_because text;

ALTER TABLE deeds ENABLE ROW LEVEL SECURITY;
ALTER TABLE deeds FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON deeds USING (in_scope(organization_id));
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE profiles FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON profiles USING (in_scope(organization_id));
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON campaigns USING (in_scope(organization_id));
