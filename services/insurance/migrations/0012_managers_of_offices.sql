-- An insurance manager may be one of some offices only (R26): without an office it is the whole organization's, as of all before.
ALTER TABLE role_holders ADD COLUMN office_id uuid,
    DROP CONSTRAINT role_holders_pkey,
    ADD CONSTRAINT role_holders_once UNIQUE NULLS NOT DISTINCT (organization_id, role, user_id, office_id),
    ADD CONSTRAINT role_holders_at_office CHECK (office_id IS NULL OR role = 'INSURANCE_MANAGER');
