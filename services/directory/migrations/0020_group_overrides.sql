-- Support lets a group send or receive though nobody who has confirmed works for it: who, when, why, and the request it answers (R25).
ALTER TABLE groups
    ADD COLUMN overridden_at timestamptz,
    ADD COLUMN overridden_by uuid,
    ADD COLUMN override_reason text CHECK (char_length(override_reason) BETWEEN 1 AND 500),
    ADD COLUMN override_request uuid,
    ADD CONSTRAINT groups_overridden_by_somebody_for_a_reason CHECK (
        (overridden_at IS NULL) = (overridden_by IS NULL) AND (overridden_at IS NULL) = (override_reason IS NULL)
        AND (overridden_at IS NOT NULL OR override_request IS NULL)
    );
