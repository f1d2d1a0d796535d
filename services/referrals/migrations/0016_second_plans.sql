-- R28: a patient may have two plans; one of them is enough for a receiver to be inside.
ALTER TABLE referrals
    ADD COLUMN second_plan_id uuid,
    ADD CONSTRAINT second_plan_is_another CHECK (second_plan_id IS NULL OR (plan_id IS NOT NULL AND second_plan_id <> plan_id));
