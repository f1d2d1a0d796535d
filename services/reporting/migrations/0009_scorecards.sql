-- Scorecards and findings (R32): rules by version, what each said of each week, and what was found out where one was missed.

CREATE TYPE scorecard_measure AS ENUM (
    'FIRST_ACTION_IN_TIME', 'ATTENDANCE_REPORTED', 'DECLINES_EXPLAINED', 'PLANS_VERIFIED'
);
CREATE TYPE scorecard_subject AS ENUM ('OFFICE', 'GROUP');
CREATE TYPE scorecard_verdict AS ENUM ('MET', 'MISSED', 'NOT_ENOUGH_DATA');

-- Whether a decline came with words besides its coded reason, as far as it was told.
CREATE TABLE decline_comments (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    version bigint NOT NULL,
    commented boolean NOT NULL,
    PRIMARY KEY (organization_id, referral_id, version)
);

-- Number 1 is what the product begins with, and not kept.
CREATE TABLE scorecard_rules (
    organization_id uuid NOT NULL,
    measure scorecard_measure NOT NULL,
    number integer NOT NULL CHECK (number > 1),
    percent integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
    cases integer NOT NULL CHECK (cases > 0),
    target_days integer,
    watched boolean NOT NULL,
    from_week date NOT NULL CHECK (extract(isodow FROM from_week) = 1),
    set_by uuid NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, measure, number)
);
CREATE TRIGGER scorecard_rules_stay BEFORE UPDATE OR DELETE ON scorecard_rules
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();

-- Which weeks have been measured: each once.
CREATE TABLE scorecard_weeks (
    organization_id uuid NOT NULL,
    week_of date NOT NULL,
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, week_of)
);
CREATE TABLE scorecard_results (
    organization_id uuid NOT NULL,
    week_of date NOT NULL,
    subject scorecard_subject NOT NULL,
    subject_id uuid NOT NULL,
    measure scorecard_measure NOT NULL,
    rule_number integer NOT NULL,
    percent integer NOT NULL,
    part integer NOT NULL CHECK (part BETWEEN 0 AND whole),
    whole integer NOT NULL,
    verdict scorecard_verdict NOT NULL,
    missed uuid[] NOT NULL,
    PRIMARY KEY (organization_id, subject_id, week_of, measure)
);
CREATE TRIGGER scorecard_results_stay BEFORE UPDATE OR DELETE ON scorecard_results
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();

CREATE TYPE finding_state AS ENUM ('OPEN', 'INVESTIGATING', 'ACTIONED', 'CLOSED');
CREATE TYPE finding_cause AS ENUM (
    'COVERAGE', 'UNCONFIRMED_USERS', 'UNREAD_GUIDE', 'OVERLOAD', 'STALE_PLANS', 'WRONG_GROUP', 'OTHER'
);

-- `office_ids` are those of the subject when it was raised: their office admins read it.
CREATE TABLE findings (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    subject scorecard_subject NOT NULL,
    subject_id uuid NOT NULL,
    measure scorecard_measure NOT NULL,
    rule_number integer NOT NULL,
    week_of date NOT NULL,
    percent integer NOT NULL,
    part integer NOT NULL,
    whole integer NOT NULL,
    office_ids uuid[] NOT NULL,
    hypotheses jsonb NOT NULL,
    state finding_state NOT NULL,
    version bigint NOT NULL,
    raised_at timestamptz NOT NULL,
    cause finding_cause,
    note text,
    investigated_by uuid,
    investigated_at timestamptz,
    actioned_at timestamptz,
    closed_by uuid,
    closed_at timestamptz,
    UNIQUE (organization_id, id),
    CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL)),
    CHECK (state <> 'ACTIONED' OR actioned_at IS NOT NULL)
);
CREATE UNIQUE INDEX findings_not_closed ON findings (organization_id, subject_id, measure) WHERE state <> 'CLOSED';
CREATE INDEX findings_of ON findings (organization_id, id);

-- The weeks after something was done, by the finding's own version of the rule.
CREATE TABLE finding_effects (
    finding_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    week_of date NOT NULL,
    part integer NOT NULL,
    whole integer NOT NULL,
    PRIMARY KEY (finding_id, week_of),
    FOREIGN KEY (organization_id, finding_id) REFERENCES findings (organization_id, id)
);

ALTER TABLE decline_comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE decline_comments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON decline_comments USING (in_scope(organization_id));
ALTER TABLE scorecard_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE scorecard_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON scorecard_rules USING (in_scope(organization_id));
ALTER TABLE scorecard_weeks ENABLE ROW LEVEL SECURITY;
ALTER TABLE scorecard_weeks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON scorecard_weeks USING (in_scope(organization_id));
ALTER TABLE scorecard_results ENABLE ROW LEVEL SECURITY;
ALTER TABLE scorecard_results FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON scorecard_results USING (in_scope(organization_id));
ALTER TABLE findings ENABLE ROW LEVEL SECURITY;
ALTER TABLE findings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON findings USING (in_scope(organization_id));
ALTER TABLE finding_effects ENABLE ROW LEVEL SECURITY;
ALTER TABLE finding_effects FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON finding_effects USING (in_scope(organization_id));
