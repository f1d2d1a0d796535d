-- What reporting heard, and the reports it published. Ids, codes and times only: nothing about a patient ever comes here.

CREATE TYPE referral_verb AS ENUM (
    'SENT', 'ACKNOWLEDGED', 'SCHEDULED', 'COMPLETED', 'DECLINED', 'REASSIGNED', 'FORWARDED', 'CANCELLED',
    'APPOINTMENT_CANCELLED', 'APPOINTMENT_PASSED', 'NO_SHOW'
);
CREATE TYPE referral_status AS ENUM (
    'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'COMPLETED', 'DECLINED', 'CANCELLED'
);

-- `data_as_of` is the time of the last fact applied: the watermark of every report.
CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY,
    time_zone text,
    data_as_of timestamptz
);

-- A removed group keeps its reports.
CREATE TABLE groups (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    office_ids uuid[] NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz CHECK (removed_at >= added_at)
);
CREATE INDEX groups_of ON groups (organization_id);

-- Every change of every referral, as an organization heard it, in the order of what it heard. `group_id` is the group of this
-- organization that has the referral after the change; NULL when none has.
CREATE TABLE referral_changes (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    version bigint NOT NULL,
    verb referral_verb NOT NULL,
    status referral_status NOT NULL,
    hop integer NOT NULL,
    group_id uuid,
    sending_group_id uuid,
    reason_code text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, referral_id, sequence)
);
CREATE INDEX referral_changes_group ON referral_changes (organization_id, group_id, referral_id)
    WHERE group_id IS NOT NULL;
CREATE INDEX referral_changes_sending_group ON referral_changes (organization_id, sending_group_id, referral_id)
    WHERE sending_group_id IS NOT NULL;

-- Where each referral stands: which group has open work with it, and when it last changed. A group's report of a week
-- needs the history of those it has now and those that changed since the week began, and of no other.
CREATE TABLE referrals (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    sequence bigint NOT NULL,
    holder uuid,
    last_changed_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, referral_id)
);

CREATE INDEX referrals_held ON referrals (organization_id, holder) WHERE holder IS NOT NULL;
CREATE INDEX referrals_changed ON referrals (organization_id, last_changed_at);

-- One report for a group and week, as it stood when published.
CREATE TABLE published_reports (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL REFERENCES groups,
    week_of date NOT NULL CHECK (extract(isodow FROM week_of) = 1),
    figures jsonb NOT NULL,
    data_as_of timestamptz,
    published_at timestamptz NOT NULL,
    UNIQUE (organization_id, group_id, week_of)
);

-- Who has looked at a report, once.
CREATE TABLE report_reviews (
    report_id uuid PRIMARY KEY REFERENCES published_reports,
    organization_id uuid NOT NULL,
    reviewed_by uuid NOT NULL,
    reviewed_at timestamptz NOT NULL
);

-- What was published or reviewed stays as it was (R31).
CREATE FUNCTION stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% does not change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER published_reports_stay BEFORE UPDATE OR DELETE ON published_reports
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();
CREATE TRIGGER report_reviews_stay BEFORE UPDATE OR DELETE ON report_reviews
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();
CREATE TRIGGER referral_changes_stay BEFORE UPDATE OR DELETE ON referral_changes
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();
