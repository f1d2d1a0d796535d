-- Grants that end by themselves, users who are providers, users who come back, and passwords that were forgotten.

-- The suite's time as this database has it: what lapses by itself has lapsed at once, not with the next round of a job.
CREATE FUNCTION suite_now() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN clock_timestamp() + coalesce((SELECT shift FROM clock_offset), interval '0');

-- A PROVIDER grant names the provider's record in directory, and a record is one person's. Only office admins are made for a time.
-- `ended_because` is null for what ended before this file.
ALTER TABLE grants ADD COLUMN provider_id uuid,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN ended_because text,
    ADD CONSTRAINT grants_provider_named CHECK ((provider_id IS NOT NULL) = (role = 'PROVIDER')),
    ADD CONSTRAINT grants_for_a_time CHECK (expires_at IS NULL OR (role = 'OFFICE_ADMIN' AND expires_at > granted_at)),
    ADD CONSTRAINT grants_ended_because CHECK (
        ended_because IN ('REVOKED', 'OFFICE_CLOSED', 'PROVIDER_REMOVED', 'EXPIRED', 'DEACTIVATED')
        AND ended_at IS NOT NULL OR ended_because IS NULL
    );
CREATE UNIQUE INDEX grants_one_person ON grants (provider_id) WHERE ended_at IS NULL;
CREATE INDEX grants_expiring ON grants (expires_at) WHERE ended_at IS NULL;

-- `deactivated_by` is null for who was deactivated by the 90 days. What a user was granted ends with the deactivation, and is only
-- proposed when the user comes back. `signed_in_at` is the last sign-in here; `warned_at` when the user was told that the account
-- is about to end, `alerted_at` when support was told that it would have been the last client admin's.
ALTER TABLE memberships DROP CONSTRAINT memberships_check;
ALTER TABLE memberships ADD COLUMN title text CHECK (title = btrim(title) AND title !~ '[[:cntrl:]]' AND char_length(title) BETWEEN 1 AND 100),
    ADD COLUMN signed_in_at timestamptz,
    ADD COLUMN reactivated_at timestamptz,
    ADD COLUMN warned_at timestamptz,
    ADD COLUMN alerted_at timestamptz,
    ADD CONSTRAINT memberships_ended_by CHECK (deactivated_by IS NULL OR deactivated_at IS NOT NULL);
UPDATE memberships m SET signed_in_at = (SELECT max(s.began_at) FROM sessions s WHERE s.membership_id = m.id);
UPDATE grants g SET ended_at = m.deactivated_at, ended_by = m.deactivated_by, ended_because = 'DEACTIVATED'
    FROM memberships m WHERE m.id = g.membership_id AND m.deactivated_at IS NOT NULL AND g.ended_at IS NULL;

-- Whether the organization was told that an invitation has run out.
ALTER TABLE temporary_passwords ADD COLUMN expiry_told_at timestamptz;
CREATE INDEX temporary_passwords_untold ON temporary_passwords (expires_at)
    WHERE consumed_at IS NULL AND expiry_told_at IS NULL;

-- Who said that a password was forgotten: written alike for addresses that are known and unknown, looked at by a job.
CREATE TABLE forgotten_passwords (
    id uuid PRIMARY KEY,
    email_key text NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX forgotten_passwords_asked ON forgotten_passwords (asked_at);

-- The link by which a confirmed user sets a new password: one hour, once. A newer one takes its place.
CREATE TABLE password_links (
    user_id uuid PRIMARY KEY REFERENCES users,
    link_hash bytea NOT NULL CHECK (octet_length(link_hash) = 32),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at = issued_at + interval '1 hour'),
    consumed_at timestamptz,
    CONSTRAINT password_links_link UNIQUE (link_hash)
);

-- Office admins that were suggested, and whom somebody does not want to be suggested again (R-S1). Without a user: nobody is to be
-- suggested for that office.
CREATE TABLE dismissed_candidates (
    organization_id uuid NOT NULL REFERENCES organizations,
    office_id uuid NOT NULL,
    user_id uuid REFERENCES users,
    dismissed_at timestamptz NOT NULL,
    dismissed_by uuid NOT NULL REFERENCES users,
    CONSTRAINT dismissed_candidates_once UNIQUE NULLS NOT DISTINCT (organization_id, office_id, user_id)
);
ALTER TABLE dismissed_candidates ENABLE ROW LEVEL SECURITY;
ALTER TABLE dismissed_candidates FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON dismissed_candidates USING (in_scope(organization_id));

-- What else support does in an organization's matters (R01), and in whose.
ALTER TABLE support_acts DROP CONSTRAINT support_acts_act_check;
ALTER TABLE support_acts ADD CONSTRAINT support_acts_act_check CHECK (act IN ('RESET_TEMPORARY_PASSWORD', 'UPGRADE_CLIENT_ADMIN', 'REPORT_BOUNCE'));
