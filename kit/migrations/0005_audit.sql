-- The audit trail: who did what to what, one row in the transaction of the change. Rows are only ever added: runtime roles may
-- insert and read, and a trigger refuses the rest to everybody. It never holds a value of what was changed, only names of fields.
CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,                                     -- the suite's clock
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- the database's own
    organization_id uuid,                                        -- NULL: a matter of the suite itself
    user_id uuid,                                                -- who: a user, or a service, or neither (nobody signed in)
    session_id uuid,
    service text NOT NULL,
    support boolean NOT NULL,
    act text NOT NULL CHECK (act <> ''),                         -- of this service: provider.approved
    kind text NOT NULL CHECK (kind <> ''),
    about uuid,
    fields text[] NOT NULL,
    reason text NOT NULL,
    purpose text NOT NULL,                                       -- why PHI was read; empty for everything else
    request text NOT NULL
);
CREATE INDEX audit_entries_about ON audit_entries (organization_id, about, at, id);
CREATE INDEX audit_entries_by ON audit_entries (organization_id, user_id, at, id);
CREATE INDEX audit_entries_at ON audit_entries (organization_id, at, id);

-- Entries that the sealer has yet to put into the chain. Its order is nobody's: the chain's sequence is given here, not by who
-- writes, so that changes of different things never wait for one another.
CREATE TABLE audit_unsealed (entry_id uuid PRIMARY KEY);

-- The chain: hash = SHA-256 of the hash before it and the entry in its canonical form (kit/audit/chain.py).
CREATE TABLE audit_chain (
    sequence bigint PRIMARY KEY CHECK (sequence > 0),
    entry_id uuid NOT NULL UNIQUE,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER only_added;
ALTER TABLE audit_chain ENABLE ALWAYS TRIGGER only_added;

-- Anybody's act is written down, also that of somebody who is nobody yet; an organization reads its own.
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY written ON audit_entries FOR INSERT WITH CHECK (true);
CREATE POLICY own ON audit_entries FOR SELECT USING (in_scope(organization_id));
