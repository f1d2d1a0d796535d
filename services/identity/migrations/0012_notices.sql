-- What people are told by mail about work, and how they want to be told.

-- Who decides otherwise than by default, kind by kind and organization by organization.
CREATE TABLE notice_choices (
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    kind text NOT NULL CHECK (kind ~ '^[A-Z_]+$'),
    delivery text NOT NULL CHECK (delivery IN ('AT_ONCE', 'DAILY_DIGEST', 'OFF')),
    chosen_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id, kind)
);
ALTER TABLE notice_choices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice_choices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notice_choices USING (in_scope(organization_id));

-- What somebody is to be told: one row for each fact and user, whatever is heard twice. It waits until `due_at`, and leaves with
-- everything that waits with it. `mailed` is false for what was dropped: dealt with meanwhile, not wanted, or no longer theirs.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    event_id uuid NOT NULL,
    topic text NOT NULL CHECK (topic ~ '^[A-Z_]+$'),
    subject_id uuid NOT NULL,
    office_id uuid,
    group_id uuid,
    delivery text NOT NULL CHECK (delivery IN ('AT_ONCE', 'DAILY_DIGEST')),
    noted_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL CHECK (due_at >= noted_at),
    settled_at timestamptz,
    mailed boolean NOT NULL DEFAULT false,
    CONSTRAINT notices_once UNIQUE (event_id, user_id),
    CHECK (settled_at IS NOT NULL OR NOT mailed)
);
CREATE INDEX notices_due ON notices (due_at) WHERE settled_at IS NULL;
CREATE INDEX notices_waiting ON notices (organization_id, user_id, delivery) WHERE settled_at IS NULL;
CREATE INDEX notices_about ON notices (subject_id) WHERE settled_at IS NULL;
CREATE INDEX notices_settled ON notices (settled_at) WHERE settled_at IS NOT NULL;
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notices USING (in_scope(organization_id));

-- The groups of directory: where they are, and who works for them.
CREATE TABLE known_groups (
    organization_id uuid NOT NULL REFERENCES organizations,
    group_id uuid NOT NULL,
    office_ids uuid[] NOT NULL DEFAULT '{}',
    staff uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (organization_id, group_id)
);
ALTER TABLE known_groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE known_groups FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON known_groups USING (in_scope(organization_id));
