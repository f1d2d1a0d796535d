-- Offices that work outside of the suite: what arrives there is reported on by its sender. Whoever sends must know.
CREATE TABLE external_offices (
    organization_id uuid NOT NULL,
    office_id uuid PRIMARY KEY,
    externally_managed boolean NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
);
ALTER TABLE external_offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_offices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON external_offices USING (in_scope(organization_id));
CREATE POLICY met_by_senders ON external_offices FOR SELECT USING (in_network());

-- R28: a receiver outside of the patient's plan is chosen for a reason.
ALTER TABLE referrals
    ADD COLUMN externally_managed boolean NOT NULL DEFAULT false,
    ADD COLUMN outside_plan_reason text,
    ADD CONSTRAINT outside_plan_is_not_listed CHECK (outside_plan_reason IS NULL OR plan_acceptance IS NOT DISTINCT FROM 'NOT_LISTED'),
    ADD CONSTRAINT offline_has_provider CHECK (NOT externally_managed OR receiving_provider_id IS NOT NULL);
CREATE INDEX referrals_offline ON referrals (received_at) WHERE status = 'PENDING' AND externally_managed;

INSERT INTO reasons (kind, code, text, valid_from) VALUES
    ('OUTSIDE_PLAN', 'NOBODY_IN_PLAN', 'Nobody in the plan offers this near enough', '2000-01-01'),
    ('OUTSIDE_PLAN', 'NO_CAPACITY_IN_PLAN', 'Nobody in the plan has time soon enough', '2000-01-01'),
    ('OUTSIDE_PLAN', 'CONTINUITY_OF_CARE', 'The patient is treated there already', '2000-01-01'),
    ('OUTSIDE_PLAN', 'PATIENT_CHOICE', 'The patient wants this receiver', '2000-01-01'),
    ('OUTSIDE_PLAN', 'SELF_PAY', 'The patient pays', '2000-01-01'),
    ('OUTSIDE_PLAN', 'LIST_OUT_OF_DATE', 'The receiver accepts the plan; the list is out of date', '2000-01-01');
