-- What is heard of others takes no locks on organizations and users, which their own verbs hold: no keys of theirs are checked.
-- Nothing of them is ever deleted.
ALTER TABLE notices DROP CONSTRAINT notices_organization_id_fkey, DROP CONSTRAINT notices_user_id_fkey;
ALTER TABLE known_groups DROP CONSTRAINT known_groups_organization_id_fkey;

-- Letters that only told something go some time after they were sent.
CREATE INDEX letters_told ON letters (queued_at) WHERE kind = 'NOTICE' AND state IN ('SENT', 'BOUNCED');
