-- Patients' data is sealed: with a key of the sending organization, which is itself sealed with the suite's PATIENT_KEY.
DO $$ BEGIN
    IF EXISTS (SELECT FROM patients) THEN
        RAISE EXCEPTION 'this database was made before patients were sealed, and before any release: begin with a new one';
    END IF;
END $$;

CREATE TABLE data_keys (
    organization_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    sealed bytea NOT NULL,
    PRIMARY KEY (organization_id, number)
);

DROP TABLE patients;
CREATE TABLE patients (
    referral_id uuid PRIMARY KEY REFERENCES referrals (id),
    organization_id uuid NOT NULL,
    key_number integer NOT NULL,
    box bytea NOT NULL,
    FOREIGN KEY (organization_id, key_number) REFERENCES data_keys
);
DROP TABLE outcome_reports;
CREATE TABLE outcome_reports (
    referral_id uuid PRIMARY KEY REFERENCES referrals (id),
    organization_id uuid NOT NULL,
    key_number integer NOT NULL,
    box bytea NOT NULL,
    attached_at timestamptz NOT NULL,
    attached_by uuid NOT NULL,
    FOREIGN KEY (organization_id, key_number) REFERENCES data_keys
);
ALTER TABLE steps
    DROP COLUMN comment,
    ADD COLUMN organization_id uuid,
    ADD COLUMN key_number integer,
    ADD COLUMN box bytea,
    ADD FOREIGN KEY (organization_id, key_number) REFERENCES data_keys,
    ADD CONSTRAINT comment_is_sealed CHECK (num_nonnulls(organization_id, key_number, box) IN (0, 3));
CREATE INDEX patients_key ON patients (organization_id, key_number);
CREATE INDEX outcome_reports_key ON outcome_reports (organization_id, key_number);
CREATE INDEX steps_key ON steps (organization_id, key_number) WHERE box IS NOT NULL;

-- By what a patient is found again: keyed digests, of the sending organization.
CREATE TABLE patient_marks (
    mark bytea NOT NULL CHECK (length(mark) = 16),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    organization_id uuid NOT NULL,
    PRIMARY KEY (mark, referral_id)
);
CREATE INDEX patient_marks_of ON patient_marks (referral_id);

-- Who sees a referral opens its boxes; what it is opened with is useless without PATIENT_KEY.
ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON data_keys USING (in_scope(organization_id));
CREATE POLICY of_senders ON data_keys FOR SELECT USING (
    EXISTS (SELECT FROM referrals r WHERE r.sending_organization_id = data_keys.organization_id
        AND in_scope(r.receiving_organization_id)));
ALTER TABLE patients ENABLE ROW LEVEL SECURITY;
ALTER TABLE patients FORCE ROW LEVEL SECURITY;
CREATE POLICY of_referral ON patients USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
ALTER TABLE outcome_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE outcome_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY of_referral ON outcome_reports USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
ALTER TABLE patient_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE patient_marks FORCE ROW LEVEL SECURITY;
CREATE POLICY of_referral ON patient_marks USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
