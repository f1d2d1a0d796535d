-- When each referral was first heard of to have changed: one that was sent after a week is no part of it.
ALTER TABLE referrals ADD COLUMN first_changed_at timestamptz;
UPDATE referrals r SET first_changed_at = (SELECT min(c.occurred_at) FROM referral_changes c
    WHERE c.organization_id = r.organization_id AND c.referral_id = r.referral_id);
ALTER TABLE referrals ALTER COLUMN first_changed_at SET NOT NULL;
