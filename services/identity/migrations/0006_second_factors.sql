-- How somebody proves who they are besides a password: authenticator apps (TOTP), passkeys (WebAuthn), recovery codes, and the
-- sign-in service of an organization (OpenID Connect). And the life of the keys that sign access tokens.

ALTER TYPE stage ADD VALUE 'second_factor';
ALTER TYPE stage ADD VALUE 'enrol_factor';
CREATE TYPE factor_kind AS ENUM ('TOTP', 'PASSKEY');

-- `second_factor`: the session stands on two. `proved_at`: when its user last proved who they are, which changes of credentials ask
-- for; null: not in this session, which began at the organization's sign-in service (`single_sign_on`).
ALTER TABLE sessions ADD COLUMN second_factor boolean NOT NULL DEFAULT false,
    ADD COLUMN proved_at timestamptz,
    ADD COLUMN single_sign_on boolean NOT NULL DEFAULT false;
UPDATE sessions SET proved_at = began_at;
ALTER TABLE sessions DROP CONSTRAINT sessions_revoked_because_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_revoked_because_check CHECK (revoked_because ~ '^[A-Z]+(_[A-Z]+)*$');

-- An authenticator app or a passkey. The app's secret is sealed; a passkey's public key is as WebAuthn's attested credential data.
-- `last_step` is the 30-second step of the newest code that was taken, so that none is taken twice; `uses` the passkey's own counter.
CREATE TABLE factors (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    kind factor_kind NOT NULL,
    name text NOT NULL CHECK (name = btrim(name) AND name !~ '[[:cntrl:]]' AND char_length(name) BETWEEN 1 AND 100),
    added_at timestamptz NOT NULL,
    used_at timestamptz,
    sealed_secret text,
    last_step bigint,
    credential_id bytea,
    credential bytea,
    uses bigint CHECK (uses >= 0),
    CONSTRAINT factors_one_credential UNIQUE (credential_id),
    CHECK ((kind = 'TOTP') = (sealed_secret IS NOT NULL)),
    CHECK ((kind = 'TOTP') = (last_step IS NOT NULL)),
    CHECK ((kind = 'PASSKEY') = (credential_id IS NOT NULL AND credential IS NOT NULL AND uses IS NOT NULL))
);
CREATE INDEX factors_of_user ON factors (user_id);

-- Something was handed out in a session and waits for its answer: an app's new secret, or a challenge to a passkey. Sealed; each
-- purpose has one at a time, and it is taken away by the answer.
CREATE TABLE ceremonies (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('ADD_TOTP', 'ADD_PASSKEY', 'ANSWER')),
    sealed text NOT NULL,
    ends_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, purpose)
);

-- Ten codes for the day the phone is lost; each works once. They are random enough (118 bits) for a keyed hash.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    made_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

-- What an organization asks of its people at sign-in. Without a row: nothing more than a password.
CREATE TABLE sign_in_rules (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    second_factor_required boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0)
);
ALTER TABLE sign_in_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sign_in_rules USING (in_scope(organization_id));

-- The sign-in service of an organization. `only`: its people do not sign in with passwords of ours.
CREATE TABLE sign_in_services (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    issuer text NOT NULL CHECK (char_length(issuer) BETWEEN 8 AND 255),
    client_id text NOT NULL CHECK (char_length(client_id) BETWEEN 1 AND 255),
    sealed_client_secret text NOT NULL,
    "only" boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    changed_at timestamptz NOT NULL,
    changed_by uuid NOT NULL REFERENCES users
);
ALTER TABLE sign_in_services ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_services FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sign_in_services USING (in_scope(organization_id));

-- The domains of mail that an organization says are its own, and which of them support has verified: a verified one belongs to one
-- organization.
CREATE TABLE sign_in_domains (
    organization_id uuid NOT NULL REFERENCES organizations,
    domain text NOT NULL CHECK (domain = lower(domain) AND char_length(domain) BETWEEN 3 AND 253),
    added_at timestamptz NOT NULL,
    verified_at timestamptz,
    verified_by uuid REFERENCES users,
    PRIMARY KEY (organization_id, domain),
    CHECK ((verified_at IS NULL) = (verified_by IS NULL))
);
CREATE UNIQUE INDEX sign_in_domains_verified ON sign_in_domains (domain) WHERE verified_at IS NOT NULL;
ALTER TABLE sign_in_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sign_in_domains USING (in_scope(organization_id));

-- Who the person is that a sign-in service knows as `subject`. An address of mail is no name for a person: it can be given to
-- somebody else.
CREATE TABLE sign_in_subjects (
    issuer text NOT NULL,
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id uuid NOT NULL REFERENCES users,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX sign_in_subjects_of_user ON sign_in_subjects (user_id);

-- A sign-in that was begun at an organization's sign-in service: found by the hash of its `state`, once, within ten minutes.
CREATE TABLE sign_in_trips (
    state_hash bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    organization_id uuid NOT NULL REFERENCES organizations,
    service_version integer NOT NULL,
    sealed text NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX sign_in_trips_ending ON sign_in_trips (ends_at);
ALTER TABLE sign_in_trips ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_trips FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sign_in_trips USING (in_scope(organization_id));

-- An account is confirmed by a password of the user's own, or by the organization's sign-in service, which leaves it without one.
ALTER TABLE users DROP CONSTRAINT users_check;
ALTER TABLE users ADD CONSTRAINT users_password_confirms CHECK (password_hash IS NULL OR confirmed_at IS NOT NULL);

-- A key is published before it signs, and verifies until the last token it can have signed has ended.
ALTER TABLE signing_keys ADD COLUMN signs_from timestamptz, ADD COLUMN ends_at timestamptz;
UPDATE signing_keys SET signs_from = made_at;
ALTER TABLE signing_keys ALTER COLUMN signs_from SET NOT NULL;

ALTER TABLE support_acts DROP CONSTRAINT support_acts_act_check;
ALTER TABLE support_acts ADD CONSTRAINT support_acts_act_check CHECK (act ~ '^[A-Z]+(_[A-Z]+)*$');
