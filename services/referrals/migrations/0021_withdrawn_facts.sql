-- R14: when the facts of a removed provider's referrals were taken out of what partners hear, and when that was looked at once more.
ALTER TABLE removed_providers ADD COLUMN taken_out_at timestamptz, ADD COLUMN settled_at timestamptz;
CREATE INDEX removed_providers_due ON removed_providers (organization_id) WHERE settled_at IS NULL;
