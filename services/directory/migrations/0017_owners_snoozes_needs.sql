-- What an organization wants of a profile besides its NPI and specialty before it is approved (R11).
ALTER TABLE organization_settings ADD COLUMN approval_needs text[] NOT NULL DEFAULT '{}'
    CHECK (approval_needs <@ ARRAY['PHONE', 'OFFICE', 'PLANS']);

-- When a provider was placed, for how long it took after the approval (R06). NULL: before it was kept, changed_at is the best there is.
ALTER TABLE placements ADD COLUMN added_at timestamptz;

-- The day on which a suggestion that was put off is shown again, on its office's calendar (R20).
ALTER TABLE suggestions ADD COLUMN snoozed_until date;

-- Who answers for an office's referrals: one of those of whom its roster was attested (R18).
ALTER TABLE offices ADD COLUMN referral_owner uuid;
SELECT set_config('suite.scope', 'suite', true);
UPDATE offices o SET referral_owner = (
    SELECT u.user_id FROM users_heard u
    WHERE u.user_id = ANY(o.roster_attested) AND u.organization_id = o.organization_id AND u.confirmed AND u.active
    ORDER BY u.user_id LIMIT 1
) WHERE roster_attested <> '{}';
