-- What people ask support for (R25), and when support acts in an organization as its client admins do (break-glass).

-- One open request for each thing that was refused, however many ask: `asked` counts them. It names codes and ids; what people write
-- besides is with whoever asked.
CREATE TABLE support_requests (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    code text NOT NULL CHECK (code ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    verb text NOT NULL CHECK (verb ~ '^([a-z][A-Za-z0-9]{0,63})?$'),
    subject_id uuid,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'IN_PROGRESS', 'DONE', 'REFUSED')),
    asked integer NOT NULL DEFAULT 1 CHECK (asked > 0),
    opened_at timestamptz NOT NULL,
    taken_at timestamptz,
    taken_by uuid REFERENCES users,
    answered_at timestamptz,
    answered_by uuid REFERENCES users,
    answer text CHECK (answer = btrim(answer) AND char_length(answer) BETWEEN 1 AND 500),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((state IN ('DONE', 'REFUSED')) = (answered_at IS NOT NULL)),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer IS NULL))
);
CREATE UNIQUE INDEX support_requests_once ON support_requests (organization_id, code, subject_id) NULLS NOT DISTINCT
    WHERE answered_at IS NULL;
CREATE INDEX support_requests_of ON support_requests (organization_id, opened_at, id);
CREATE INDEX support_requests_all ON support_requests (opened_at, id);

CREATE TABLE support_request_askers (
    request_id uuid NOT NULL REFERENCES support_requests,
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    asked_at timestamptz NOT NULL,
    note text CHECK (note = btrim(note) AND char_length(note) BETWEEN 1 AND 300),
    PRIMARY KEY (request_id, user_id)
);

-- Support inside an organization: in one session, for a reason, and for four hours at most. It is over at `ends_at` whether or not
-- that has been written down.
CREATE TABLE support_accesses (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    session_id uuid NOT NULL,
    reason text NOT NULL CHECK (reason = btrim(reason) AND char_length(reason) BETWEEN 1 AND 500),
    began_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > began_at AND ends_at <= began_at + interval '4 hours'),
    ended_at timestamptz CHECK (ended_at BETWEEN began_at AND ends_at),
    ended_because text CHECK (ended_because IN ('ENDED', 'EXPIRED')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE UNIQUE INDEX support_accesses_one ON support_accesses (session_id) WHERE ended_at IS NULL;
CREATE INDEX support_accesses_of ON support_accesses (organization_id, began_at, id);
CREATE INDEX support_accesses_ending ON support_accesses (ends_at) WHERE ended_at IS NULL;

ALTER TABLE support_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON support_requests USING (in_scope(organization_id));
ALTER TABLE support_request_askers ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_request_askers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON support_request_askers USING (in_scope(organization_id));
ALTER TABLE support_accesses ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_accesses FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON support_accesses USING (in_scope(organization_id));
