-- Somebody has asked beforehand for a leaving provider to be removed as soon as nothing is open (R15). The offices are those to be
-- left on the way. A job looks again when it is due; what held it up then is kept, to be shown.
ALTER TABLE providers
    ADD COLUMN removal_asked_by uuid,
    ADD COLUMN removal_asked_at timestamptz,
    ADD COLUMN removal_offices uuid[] NOT NULL DEFAULT '{}' CHECK (array_position(removal_offices, NULL) IS NULL),
    ADD COLUMN removal_held_up text CHECK (removal_held_up IN ('OPEN_REFERRALS', 'OFFICES_REMAIN')),
    ADD COLUMN removal_due timestamptz,
    ADD CHECK (removal_asked_at IS NULL OR state = 'OFFBOARDING'),
    ADD CHECK ((removal_asked_at IS NULL) = (removal_asked_by IS NULL) AND (removal_asked_at IS NULL) = (removal_due IS NULL)),
    ADD CHECK (removal_asked_at IS NOT NULL OR (removal_held_up IS NULL AND removal_offices = '{}'));
CREATE INDEX providers_awaiting ON providers (removal_due) WHERE removal_due IS NOT NULL;
