-- Organizations, the people who sign in, what they may do, and the secrets that prove who they are. Nobody is ever deleted.

CREATE TYPE role AS ENUM (
    'CLIENT_ADMIN', 'OFFICE_ADMIN', 'OFFICE_STAFF', 'INSURANCE_MANAGER', 'CALL_CENTRE'
);
CREATE TYPE stage AS ENUM ('full', 'set_password');
CREATE TYPE letter_kind AS ENUM ('INVITATION', 'MEMBERSHIP', 'PASSWORD_RESET', 'NOTICE');
CREATE TYPE letter_state AS ENUM ('QUEUED', 'SENT', 'BOUNCED', 'WITHDRAWN');

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 200),
    time_zone text NOT NULL CHECK (time_zone <> ''),
    added_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0)
);

-- One account for a person, however many organizations that person works for. `email_key` is what two spellings of one
-- address have in common (NFKC and case folded). The password's hash carries its own parameters. A user is confirmed from the
-- moment a password of the user's own was set; support staff belong to no organization.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email !~ '[[:cntrl:][:space:]]' AND char_length(email) BETWEEN 3 AND 254),
    email_key text NOT NULL,
    name text NOT NULL CHECK (name = btrim(name) AND name !~ '[[:cntrl:]]' AND char_length(name) BETWEEN 1 AND 200),
    support boolean NOT NULL DEFAULT false,
    password_hash text,
    confirmed_at timestamptz,
    added_at timestamptz NOT NULL,
    CONSTRAINT users_one_account UNIQUE (email_key),
    CHECK ((password_hash IS NULL) = (confirmed_at IS NULL))
);

-- `version` moves with every change of the membership or of its grants.
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    added_at timestamptz NOT NULL,
    deactivated_at timestamptz,
    deactivated_by uuid REFERENCES users,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CONSTRAINT memberships_one_each UNIQUE (organization_id, user_id),
    CHECK ((deactivated_at IS NULL) = (deactivated_by IS NULL))
);
CREATE INDEX memberships_of_user ON memberships (user_id);

-- What a membership may do, and once could. Two roles are for an office each, the others for the organization.
-- A grant without `ended_by` that has ended lapsed with its office.
CREATE TABLE grants (
    id uuid PRIMARY KEY,
    membership_id uuid NOT NULL REFERENCES memberships,
    role role NOT NULL,
    office_id uuid,
    granted_at timestamptz NOT NULL,
    granted_by uuid NOT NULL REFERENCES users,
    ended_at timestamptz,
    ended_by uuid REFERENCES users,
    CHECK ((office_id IS NOT NULL) = (role IN ('OFFICE_ADMIN', 'OFFICE_STAFF'))),
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX grants_once ON grants (membership_id, role, office_id) NULLS NOT DISTINCT
    WHERE ended_at IS NULL;
CREATE INDEX grants_of_office ON grants (office_id) WHERE ended_at IS NULL;

-- Offices of which directory said that they are closed for good: nothing is granted on them any more.
CREATE TABLE closed_offices (
    organization_id uuid NOT NULL REFERENCES organizations,
    office_id uuid NOT NULL,
    PRIMARY KEY (organization_id, office_id)
);

-- The first password of an account (R05), and the link that confirms it. Both end exactly 48 hours after issue; issuing anew
-- takes the place of what was there. The link works once, which `consumed_at` remembers.
CREATE TABLE temporary_passwords (
    user_id uuid PRIMARY KEY REFERENCES users,
    password_hash text NOT NULL,
    link_hash bytea NOT NULL CHECK (octet_length(link_hash) = 32),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at = issued_at + interval '48 hours'),
    consumed_at timestamptz,
    CONSTRAINT temporary_passwords_link UNIQUE (link_hash)
);

-- What support did in an organization's matters, and why.
CREATE TABLE support_acts (
    id uuid PRIMARY KEY,
    support_user_id uuid NOT NULL REFERENCES users,
    user_id uuid NOT NULL REFERENCES users,
    act text NOT NULL CHECK (act IN ('RESET_TEMPORARY_PASSWORD')),
    reason text NOT NULL CHECK (reason = btrim(reason) AND char_length(reason) BETWEEN 1 AND 500),
    at timestamptz NOT NULL
);

-- A sign-in and everything refreshed from it. Refresh tokens are numbered and derived, so none is kept: `refresh_number` is the
-- number of the one that is good now, `rotated_at` when it took the place of the one before.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    membership_id uuid REFERENCES memberships,
    stage stage NOT NULL,
    began_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > began_at),
    refresh_number integer NOT NULL DEFAULT 1 CHECK (refresh_number > 0),
    rotated_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text CHECK (revoked_because IN ('SIGNED_OUT', 'REUSED', 'DEACTIVATED', 'PASSWORD_SET', 'PASSWORD_RESET')),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX sessions_live ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_ending ON sessions (ends_at);

-- Failed sign-ins by a hash of account and source: what slows guessing down. Never a lock, and forgotten after a day.
CREATE TABLE sign_in_attempts (
    bucket bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
    failures integer NOT NULL CHECK (failures > 0),
    last_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL CHECK (next_at >= last_at)
);
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);

-- The keys that sign access tokens; the private half is sealed with a key derived from the setting IDENTITY_SECRET.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    public_key jsonb NOT NULL,
    sealed_private_key text NOT NULL,
    made_at timestamptz NOT NULL
);

-- Mail to be sent. It can hold a secret, so it is sealed, and forgotten once the secret is used or void.
CREATE TABLE letters (
    id uuid PRIMARY KEY,
    kind letter_kind NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    sealed text,
    state letter_state NOT NULL DEFAULT 'QUEUED',
    queued_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    sent_at timestamptz,
    CHECK (state <> 'QUEUED' OR sealed IS NOT NULL),
    CHECK (state <> 'SENT' OR sent_at IS NOT NULL)
);
CREATE INDEX letters_due ON letters (due_at) WHERE state = 'QUEUED';
CREATE INDEX letters_of_user ON letters (user_id, queued_at);

-- Partner systems that may hear an organization's facts. Only the public half of their key is known here.
CREATE TABLE partners (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text NOT NULL CHECK (name = btrim(name) AND name !~ '[[:cntrl:]]' AND char_length(name) BETWEEN 1 AND 100),
    public_key text NOT NULL CHECK (public_key ~ '^U[A-Z2-7]{55}$'),
    added_at timestamptz NOT NULL,
    added_by uuid NOT NULL REFERENCES users,
    removed_at timestamptz,
    removed_by uuid REFERENCES users,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CONSTRAINT partners_one_key UNIQUE (public_key),
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE UNIQUE INDEX partners_name ON partners (organization_id, lower(name)) WHERE removed_at IS NULL;
