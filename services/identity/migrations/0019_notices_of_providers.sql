-- A notice for the user who is a provider: about a referral that is theirs, wherever they work.
ALTER TABLE notices ADD COLUMN provider_id uuid;
