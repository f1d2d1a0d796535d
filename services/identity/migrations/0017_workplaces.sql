-- An insurance manager may be one of some offices only (R26), without working there. `workplace` says where a grant makes its holder
-- work: whoever asks who works at an office, covers it or is its staff asks for that, and for `office_id` who asks what a grant is for.
ALTER TABLE grants ADD COLUMN workplace uuid
    GENERATED ALWAYS AS (CASE WHEN role IN ('OFFICE_ADMIN', 'OFFICE_STAFF') THEN office_id END) STORED;
ALTER TABLE grants DROP CONSTRAINT grants_check,
    ADD CONSTRAINT grants_office_named CHECK (role = 'INSURANCE_MANAGER'
        OR (office_id IS NOT NULL) = (role IN ('OFFICE_ADMIN', 'OFFICE_STAFF'))),
    DROP CONSTRAINT grants_for_a_time,
    ADD CONSTRAINT grants_for_a_time CHECK (expires_at IS NULL OR expires_at > granted_at
        AND (role = 'OFFICE_ADMIN' OR role = 'INSURANCE_MANAGER' AND office_id IS NOT NULL));
CREATE INDEX grants_of_workplace ON grants (workplace) WHERE ended_at IS NULL;

CREATE OR REPLACE VIEW live_grants WITH (security_invoker = true) AS
SELECT id, membership_id, role, office_id, provider_id, granted_at, expires_at, workplace
FROM grants WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > suite_now());
