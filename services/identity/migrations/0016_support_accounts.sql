-- Support accounts: since when, when last here, and why one has ended. Who ended is support no more (users.support); the account, and
-- what it did, stay.
CREATE TABLE support_accounts (
    user_id uuid PRIMARY KEY REFERENCES users,
    since timestamptz NOT NULL,
    signed_in_at timestamptz,
    warned_at timestamptz,
    ended_at timestamptz,
    ended_by uuid REFERENCES users,
    ended_because text CHECK (ended_because IN ('ENDED', 'INACTIVE')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
INSERT INTO support_accounts (user_id, since, signed_in_at)
SELECT u.id, u.added_at, (SELECT max(s.began_at) FROM sessions s WHERE s.user_id = u.id AND s.stage = 'full')
FROM users u WHERE u.support;
