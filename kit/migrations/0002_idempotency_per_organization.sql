-- A user of two organizations may send the same key in each: what was made in one is no answer in the other. Support, who acts in
-- none, has the nil id.
ALTER TABLE idempotency ADD COLUMN organization_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE idempotency ALTER COLUMN organization_id DROP DEFAULT;
ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey;
ALTER TABLE idempotency ADD PRIMARY KEY (user_id, organization_id, key);
