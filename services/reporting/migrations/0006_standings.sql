-- Where each referral stood from when until when, and what each change meant for the groups: a report reads them for its two weeks
-- and goes through no histories. Made of referral_changes by services/reporting/domain/history.py, a row as each change is heard.
CREATE TYPE referral_movement AS ENUM (
    'SENT', 'RECEIVED', 'REOPENED', 'REASSIGNED_IN', 'REASSIGNED_OUT', 'FORWARDED_OUT', 'COMPLETED', 'CANCELLED', 'DECLINED',
    'ACKNOWLEDGED', 'SCHEDULED', 'APPOINTMENT_PASSED', 'NO_SHOW', 'FIRST_ACTION', 'FIRST_SCHEDULED', 'SENT_WITH_KNOWN_PLAN',
    'SENT_OUTSIDE_PLAN', 'APPOINTMENT_REPORTED', 'OUTCOME_ATTACHED'
);

-- After the change with this sequence. It stood so from after `at` until `until` included; infinity: it still does.
CREATE TABLE standings (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamptz NOT NULL,
    until timestamptz NOT NULL DEFAULT 'infinity' CHECK (until >= at),
    status referral_status NOT NULL,
    holder uuid,
    since timestamptz NOT NULL,
    acted boolean NOT NULL,
    scheduled boolean NOT NULL,
    appointment boolean NOT NULL,
    loop_closed boolean NOT NULL,
    worked_at timestamptz NOT NULL,
    sending_office_id uuid,
    sending_group_id uuid,
    office_id uuid,
    provider_id uuid,
    PRIMARY KEY (organization_id, referral_id, sequence)
);
CREATE INDEX standings_held ON standings (organization_id, holder, until) WHERE holder IS NOT NULL;

-- Places and people are those of the referral as it was known then; of one that leaves, as it was when the group had it.
CREATE TABLE moments (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    sequence bigint NOT NULL,
    movement referral_movement NOT NULL,
    group_id uuid NOT NULL,
    at timestamptz NOT NULL,
    waited interval NOT NULL,
    until_appointment interval,
    reason_code text,
    outcome referral_outcome,
    sending_office_id uuid,
    sending_group_id uuid,
    office_id uuid,
    provider_id uuid,
    PRIMARY KEY (organization_id, referral_id, sequence, movement, group_id)
);
CREATE INDEX moments_of ON moments (organization_id, group_id, at);

-- Published reports that facts heard since may have changed: each is looked at once, and then is doubtful no more.
CREATE TABLE report_doubts (
    report_id uuid PRIMARY KEY REFERENCES published_reports,
    organization_id uuid NOT NULL
);
INSERT INTO report_doubts SELECT id, organization_id FROM published_reports;

ALTER TABLE standings ENABLE ROW LEVEL SECURITY;
ALTER TABLE standings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON standings USING (in_scope(organization_id));
ALTER TABLE moments ENABLE ROW LEVEL SECURITY;
ALTER TABLE moments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON moments USING (in_scope(organization_id));
ALTER TABLE report_doubts ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_doubts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON report_doubts USING (in_scope(organization_id));
