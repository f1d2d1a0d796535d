-- What directory keeps of other services' facts, in order to rank receivers and to know who is there.

-- Which plans a provider accepts at an office, as insurance tells it. Days are half-open.
CREATE TABLE participations_heard (
    participation_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    effective_from date NOT NULL,
    effective_until date,
    verified_on date
);
CREATE INDEX participations_heard_at ON participations_heard (provider_id, office_id, plan_id);

-- When a referral reached a receiver and when the receiver first answered.
CREATE TABLE answers_heard (
    referral_id uuid NOT NULL,
    hop integer NOT NULL CHECK (hop > 0),
    office_id uuid NOT NULL,
    provider_id uuid,
    group_id uuid,
    sent_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    PRIMARY KEY (referral_id, hop)
);
CREATE INDEX answers_heard_provider ON answers_heard (provider_id, office_id, sent_at);
CREATE INDEX answers_heard_group ON answers_heard (group_id, office_id, sent_at);

-- The users of an organization and the offices they work for, as identity tells it.
CREATE TABLE users_heard (
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    confirmed boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    PRIMARY KEY (user_id, organization_id)
);
CREATE TABLE office_users_heard (
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('OFFICE_ADMIN', 'OFFICE_STAFF')),
    PRIMARY KEY (user_id, organization_id, office_id, role)
);
CREATE INDEX office_users_heard_office ON office_users_heard (office_id);
