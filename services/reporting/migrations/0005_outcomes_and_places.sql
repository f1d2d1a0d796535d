-- What the loop, the wait, leakage and the drivers of a change are told from. Earlier changes do not say.
ALTER TYPE referral_verb ADD VALUE 'OUTCOME_ATTACHED';
ALTER TYPE referral_verb ADD VALUE 'MESSAGE_SENT';
CREATE TYPE referral_outcome AS ENUM ('SEEN', 'DECLINED', 'UNKNOWN');
CREATE TYPE plan_acceptance AS ENUM ('ACCEPTED', 'NOT_LISTED', 'UNKNOWN');

ALTER TABLE referral_changes
    ADD COLUMN outcome referral_outcome,
    ADD COLUMN appointment_at timestamptz,
    ADD COLUMN plan_acceptance plan_acceptance,
    ADD COLUMN office_id uuid,
    ADD COLUMN provider_id uuid,
    ADD COLUMN sending_office_id uuid;

-- Reports as they were told again because facts came late, each state once: `watermark` is the digest of what it was made of.
ALTER TABLE published_reports ADD COLUMN watermark text;
CREATE TABLE report_restatements (
    report_id uuid NOT NULL REFERENCES published_reports,
    organization_id uuid NOT NULL,
    watermark text NOT NULL,
    figures jsonb NOT NULL,
    restated_at timestamptz NOT NULL,
    PRIMARY KEY (report_id, watermark)
);
CREATE TRIGGER report_restatements_stay BEFORE UPDATE OR DELETE ON report_restatements
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();

-- Who has not reviewed a report for a week is reminded once.
CREATE TABLE report_reminders (
    report_id uuid PRIMARY KEY REFERENCES published_reports,
    organization_id uuid NOT NULL,
    reminded_at timestamptz NOT NULL
);
CREATE TRIGGER report_reminders_stay BEFORE UPDATE OR DELETE ON report_reminders
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();

ALTER TABLE report_restatements ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_restatements FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON report_restatements USING (in_scope(organization_id));
ALTER TABLE report_reminders ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_reminders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON report_reminders USING (in_scope(organization_id));
