-- Files that go with a referral. Their names and bytes are sealed like everything about its patient; what stands open says nothing of
-- them. A file belongs to the side and the hop it was attached in: what the sender attaches goes wherever the referral goes, what a
-- receiver attaches stays between that receiver and the sender. Until `kept_at` a file is still arriving, and nobody sees it.
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    hop integer NOT NULL,
    side text NOT NULL CHECK (side IN ('SENDING', 'RECEIVING')),
    media_type text NOT NULL CHECK (media_type IN
        ('application/pdf', 'image/png', 'image/jpeg', 'image/tiff', 'application/dicom', 'text/plain')),
    bytes bigint NOT NULL,
    pieces integer NOT NULL,
    by_user_id uuid NOT NULL,
    by_organization_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    key_number integer NOT NULL,
    box bytea NOT NULL,
    begun_at timestamptz NOT NULL,
    kept_at timestamptz,
    FOREIGN KEY (organization_id, key_number) REFERENCES data_keys,
    CONSTRAINT kept_is_not_empty CHECK (kept_at IS NULL OR bytes > 0 AND pieces > 0)
);
CREATE INDEX attachments_of ON attachments (referral_id, id);
CREATE INDEX attachments_key ON attachments (organization_id, key_number);
CREATE INDEX attachments_arriving ON attachments (by_user_id, begun_at) WHERE kept_at IS NULL;

-- The bytes, in boxes that are sealed one by one: no file need ever be held whole. Which piece it is, and whether it is the last,
-- is bound into its box.
CREATE TABLE attachment_pieces (
    attachment_id uuid NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    organization_id uuid NOT NULL,
    key_number integer NOT NULL,
    box bytea NOT NULL,
    PRIMARY KEY (attachment_id, number),
    FOREIGN KEY (organization_id, key_number) REFERENCES data_keys
);
ALTER TABLE attachment_pieces ALTER COLUMN box SET STORAGE EXTERNAL; -- what is sealed cannot be compressed
CREATE INDEX attachment_pieces_key ON attachment_pieces (organization_id, key_number);

ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON attachments USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER TABLE attachment_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachment_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON attachment_pieces USING (in_scope(NULL) OR sees_ends(referral_id));

ALTER TYPE happened ADD VALUE 'ATTACHED';
ALTER TYPE happened ADD VALUE 'ATTACHMENT_WITHDRAWN';
