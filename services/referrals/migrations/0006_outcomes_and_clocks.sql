-- What a completed referral came to, when its loop was closed, and the clocks: since when it is with its present receiver, and
-- since when it stands in its status.
CREATE TYPE outcome AS ENUM ('SEEN', 'DECLINED', 'UNKNOWN');
CREATE TYPE passed_appointment AS ENUM ('FOLLOW_UP', 'COMPLETED');
ALTER TYPE happened ADD VALUE 'OUTCOME_ATTACHED' BEFORE 'NO_SHOW';
ALTER TYPE happened ADD VALUE 'LAPSED' BEFORE 'NO_SHOW';
ALTER TYPE happened ADD VALUE 'OVERDUE';

ALTER TABLE referrals
    ADD COLUMN outcome outcome,
    ADD COLUMN outcome_at timestamptz,
    ADD COLUMN received_at timestamptz,
    ADD COLUMN status_since timestamptz;
UPDATE referrals r SET
    outcome = CASE WHEN r.status = 'COMPLETED' THEN 'SEEN'::outcome END,
    received_at = (SELECT h.received_at FROM hops h WHERE h.referral_id = r.id AND h.left_at IS NULL),
    status_since = r.changed_at;
ALTER TABLE referrals
    ALTER COLUMN status_since SET NOT NULL,
    ADD CONSTRAINT completed_says_how CHECK ((status = 'COMPLETED') = (outcome IS NOT NULL)),
    ADD CONSTRAINT outcome_is_of_a_visit CHECK (outcome_at IS NULL OR outcome IS NOT DISTINCT FROM 'SEEN'),
    ADD CONSTRAINT received_when_sent CHECK ((sent_at IS NULL) = (received_at IS NULL));
CREATE INDEX referrals_declined ON referrals (status_since) WHERE status = 'DECLINED';
CREATE INDEX referrals_waiting ON referrals (receiving_organization_id, received_at) WHERE status IN ('PENDING', 'IN_PROGRESS');

-- A decline for such a reason ends the referral by itself after ten days. What the sender can mend waits for the sender.
ALTER TABLE reasons ADD COLUMN lapses boolean NOT NULL DEFAULT false;
UPDATE reasons SET lapses = true WHERE kind = 'DECLINE' AND code <> 'INFORMATION_REQUIRED';

-- PHI: what the receiver reports back. One row per referral; reporting again takes its place.
CREATE TABLE outcome_reports (
    referral_id uuid PRIMARY KEY REFERENCES referrals (id),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 10000),
    attached_at timestamptz NOT NULL,
    attached_by uuid NOT NULL
);

-- A receiving organization's own targets; absent: 7 and 14 days, follow-up.
CREATE TABLE targets (
    organization_id uuid PRIMARY KEY,
    acknowledge_days integer NOT NULL CHECK (acknowledge_days BETWEEN 1 AND 90),
    decide_days integer NOT NULL CHECK (decide_days BETWEEN acknowledge_days AND 90),
    passed_appointment passed_appointment NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
);
ALTER TABLE targets ENABLE ROW LEVEL SECURITY;
ALTER TABLE targets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON targets USING (in_scope(organization_id));
-- Who sends to an organization reads until when it is to act.
CREATE POLICY of_receivers ON targets FOR SELECT USING (
    EXISTS (SELECT FROM referrals r WHERE r.receiving_organization_id = targets.organization_id
        AND in_scope(r.sending_organization_id)));

-- What was said to be overdue, so that it is said once for each receiver.
CREATE TABLE overdue_told (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    hop integer NOT NULL,
    overdue text NOT NULL CHECK (overdue IN ('ACKNOWLEDGE', 'DECIDE')),
    told_at timestamptz NOT NULL,
    PRIMARY KEY (referral_id, hop, overdue)
);
