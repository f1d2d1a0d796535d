-- What the two sides say to each other about a referral, sealed like everything about its patient. A message belongs to the hop it
-- was said in: a receiver reads what was said while the referral was with its organization.
CREATE TABLE messages (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    hop integer NOT NULL,
    side text NOT NULL CHECK (side IN ('SENDING', 'RECEIVING')),
    by_user_id uuid NOT NULL,
    by_organization_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    key_number integer NOT NULL,
    box bytea NOT NULL,
    said_at timestamptz NOT NULL,
    FOREIGN KEY (referral_id, hop) REFERENCES hops (referral_id, hop),
    FOREIGN KEY (organization_id, key_number) REFERENCES data_keys
);
CREATE INDEX messages_of ON messages (referral_id, id);
CREATE INDEX messages_key ON messages (organization_id, key_number);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON messages USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));

-- Up to which message each user has read.
CREATE TABLE messages_read (
    user_id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    until uuid NOT NULL,
    PRIMARY KEY (user_id, referral_id)
);
ALTER TABLE messages_read ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages_read FORCE ROW LEVEL SECURITY;
CREATE POLICY of_referral ON messages_read USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id));

ALTER TYPE happened ADD VALUE 'MESSAGE';
