-- People, offices and the teams of groups, as identity and directory told of them; and how old what is listed of plans is.

CREATE TABLE people (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- Invited, or back, since then.
    since timestamptz NOT NULL,
    confirmed_at timestamptz,
    invite_expired boolean NOT NULL DEFAULT false,
    left_at timestamptz,
    PRIMARY KEY (organization_id, user_id)
);

-- The roles that somebody has now; those that are for no office have none.
CREATE TABLE person_roles (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    office_id uuid,
    granted_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organization_id, user_id, role, office_id)
);
CREATE INDEX person_roles_at ON person_roles (organization_id, office_id);

CREATE TYPE office_state AS ENUM ('PLANNED', 'LIVE', 'CLOSING', 'CLOSED');
CREATE TABLE offices (
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    name text NOT NULL,
    state office_state NOT NULL,
    PRIMARY KEY (organization_id, office_id)
);

CREATE TABLE placements (
    organization_id uuid NOT NULL,
    placement_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    effective_until date,
    PRIMARY KEY (organization_id, placement_id)
);
CREATE INDEX placements_at ON placements (organization_id, office_id);

-- What a group may do, and who is in it and works for it. `office_ids` are those it was made with.
CREATE TABLE group_teams (
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL,
    office_ids uuid[] NOT NULL DEFAULT '{}',
    may_send boolean NOT NULL DEFAULT false,
    may_receive boolean NOT NULL DEFAULT false,
    provider_ids uuid[] NOT NULL DEFAULT '{}',
    staff_user_ids uuid[] NOT NULL DEFAULT '{}',
    removed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organization_id, group_id)
);

CREATE TABLE participations (
    organization_id uuid NOT NULL,
    participation_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    office_id uuid NOT NULL,
    effective_from date NOT NULL,
    effective_until date,
    verified_on date,
    PRIMARY KEY (organization_id, participation_id)
);
CREATE INDEX participations_at ON participations (organization_id, office_id);

ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON people USING (in_scope(organization_id));
ALTER TABLE person_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON person_roles USING (in_scope(organization_id));
ALTER TABLE offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE offices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON offices USING (in_scope(organization_id));
ALTER TABLE placements ENABLE ROW LEVEL SECURITY;
ALTER TABLE placements FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON placements USING (in_scope(organization_id));
ALTER TABLE group_teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_teams FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_teams USING (in_scope(organization_id));
ALTER TABLE participations ENABLE ROW LEVEL SECURITY;
ALTER TABLE participations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON participations USING (in_scope(organization_id));

-- Who works where: by a role at an office, or for a group that is there. Whoever has left is not in it.
CREATE VIEW staffing WITH (security_invoker = true) AS
    SELECT p.organization_id, p.user_id, r.role, r.office_id, p.confirmed_at, p.since, p.invite_expired
    FROM people p JOIN person_roles r USING (organization_id, user_id)
    WHERE p.left_at IS NULL AND r.office_id IS NOT NULL
    UNION
    SELECT p.organization_id, p.user_id, 'OFFICE_STAFF', o.office_id, p.confirmed_at, p.since, p.invite_expired
    FROM group_teams t CROSS JOIN LATERAL unnest(t.staff_user_ids) AS s (user_id)
    CROSS JOIN LATERAL unnest(t.office_ids) AS o (office_id)
    JOIN people p ON p.organization_id = t.organization_id AND p.user_id = s.user_id
    WHERE p.left_at IS NULL AND NOT t.removed;
