-- What is done about a finding: trainings (R34), and changes of roles that are proposed (R33).

-- Of a guide (done by acknowledging it) or of something with a title. `office_ids`: whose people were meant, besides those named.
CREATE TABLE trainings (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    finding_id uuid,
    guide_id uuid,
    title text,
    office_ids uuid[] NOT NULL,
    due_on date NOT NULL,
    version bigint NOT NULL,
    assigned_by uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, finding_id) REFERENCES findings (organization_id, id),
    FOREIGN KEY (organization_id, guide_id) REFERENCES guides (organization_id, id),
    CHECK ((guide_id IS NULL) <> (title IS NULL))
);
CREATE INDEX trainings_of ON trainings (organization_id, id);
CREATE INDEX trainings_of_finding ON trainings (finding_id) WHERE finding_id IS NOT NULL;
CREATE INDEX trainings_of_guide ON trainings (guide_id) WHERE guide_id IS NOT NULL;

-- KNOWN: had read the guide's version when it was assigned. LEFT: was deactivated before it was done.
CREATE TYPE training_outcome AS ENUM ('DONE', 'KNOWN', 'LEFT');
CREATE TABLE training_tasks (
    training_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    outcome training_outcome,
    ended_at timestamptz,
    reminded_at timestamptz,
    overdue_at timestamptz,
    PRIMARY KEY (training_id, user_id),
    FOREIGN KEY (organization_id, training_id) REFERENCES trainings (organization_id, id),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX training_tasks_of ON training_tasks (organization_id, user_id);

CREATE TYPE role_change AS ENUM ('GRANT', 'REVOKE');
CREATE TABLE role_proposals (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    finding_id uuid NOT NULL,
    change role_change NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    office_id uuid NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    applied_at timestamptz,
    FOREIGN KEY (organization_id, finding_id) REFERENCES findings (organization_id, id)
);
CREATE UNIQUE INDEX role_proposals_once ON role_proposals (finding_id, change, user_id, role, office_id)
    WHERE applied_at IS NULL;

ALTER TABLE trainings ENABLE ROW LEVEL SECURITY;
ALTER TABLE trainings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON trainings USING (in_scope(organization_id));
ALTER TABLE training_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON training_tasks USING (in_scope(organization_id));
ALTER TABLE role_proposals ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_proposals FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON role_proposals USING (in_scope(organization_id));

-- Whom a published guide is for, and whoever is to be trained by it: for no office in particular.
CREATE OR REPLACE VIEW guide_audience WITH (security_invoker = true) AS
    SELECT g.organization_id, g.id AS guide_id, g.kind, g.number, s.user_id, s.office_id, s.confirmed_at, v.published_at
    FROM guides g JOIN guide_versions v ON v.guide_id = g.id AND v.number = g.number
    JOIN staffing s ON s.organization_id = g.organization_id AND s.role = ANY (v.roles)
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM placements p JOIN organizations o USING (organization_id)
                WHERE p.organization_id = s.organization_id AND p.office_id = s.office_id
                AND (p.effective_until IS NULL OR p.effective_until > o.data_as_of::date)) AS own,
            bool_or(t.may_send) AS sends, bool_or(t.may_receive) AS receives
        FROM group_teams t WHERE t.organization_id = s.organization_id AND s.office_id = ANY (t.office_ids) AND NOT t.removed
    ) AS side
    WHERE g.state = 'PUBLISHED' AND (v.offices = 'ALL' OR side.own OR side.sends IS NULL
        OR (v.offices = 'SENDING' AND side.sends) OR (v.offices = 'RECEIVING' AND side.receives))
    UNION ALL
    SELECT g.organization_id, g.id, g.kind, g.number, k.user_id, NULL, p.confirmed_at, v.published_at
    FROM guides g JOIN guide_versions v ON v.guide_id = g.id AND v.number = g.number
    JOIN trainings t ON t.organization_id = g.organization_id AND t.guide_id = g.id AND t.cancelled_at IS NULL
    JOIN training_tasks k ON k.training_id = t.id AND k.outcome IS DISTINCT FROM 'LEFT'
    JOIN people p ON p.organization_id = k.organization_id AND p.user_id = k.user_id AND p.left_at IS NULL
    WHERE g.state = 'PUBLISHED';
