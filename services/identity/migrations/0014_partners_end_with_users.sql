-- A partner's credential ends with the membership of who added it: with nobody who did that when the 90 days ended the membership.
ALTER TABLE partners DROP CONSTRAINT partners_check;
ALTER TABLE partners ADD CONSTRAINT partners_removed_by CHECK (removed_by IS NULL OR removed_at IS NOT NULL);
