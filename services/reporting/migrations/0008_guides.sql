-- Guides (R30): the text of each version, who is asked to read it, and who has.

CREATE TYPE guide_kind AS ENUM ('SENDING', 'RECEIVING');
CREATE TYPE guide_state AS ENUM ('DRAFT', 'PUBLISHED', 'WITHDRAWN');
CREATE TYPE guide_offices AS ENUM ('ALL', 'SENDING', 'RECEIVING');

-- `number` is that of the version published last; 0: none yet. `version` moves with every change of the guide.
CREATE TABLE guides (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    kind guide_kind NOT NULL,
    state guide_state NOT NULL,
    number integer NOT NULL DEFAULT 0 CHECK (number >= 0),
    version bigint NOT NULL DEFAULT 1,
    added_at timestamptz NOT NULL,
    UNIQUE (organization_id, id),
    CHECK ((state = 'DRAFT') = (number = 0))
);
CREATE INDEX guides_of ON guides (organization_id, id);

-- One that is not published is the draft of the next version: at most one, and nobody but client admins sees it.
CREATE TABLE guide_versions (
    guide_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    title text NOT NULL,
    text text NOT NULL,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    offices guide_offices NOT NULL,
    written_by uuid NOT NULL,
    written_at timestamptz NOT NULL,
    published_by uuid,
    published_at timestamptz,
    PRIMARY KEY (guide_id, number),
    FOREIGN KEY (organization_id, guide_id) REFERENCES guides (organization_id, id),
    CHECK ((published_at IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX guide_drafts ON guide_versions (guide_id) WHERE published_at IS NULL;
CREATE TRIGGER guide_versions_stay BEFORE UPDATE OR DELETE ON guide_versions
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION stays_as_it_was();

CREATE TABLE guide_reads (
    guide_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    number integer NOT NULL,
    user_id uuid NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (guide_id, number, user_id),
    FOREIGN KEY (guide_id, number) REFERENCES guide_versions (guide_id, number)
);
CREATE INDEX guide_reads_by ON guide_reads (organization_id, user_id);
CREATE TRIGGER guide_reads_stay BEFORE UPDATE OR DELETE ON guide_reads
    FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();

ALTER TABLE guides ENABLE ROW LEVEL SECURITY;
ALTER TABLE guides FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guides USING (in_scope(organization_id));
ALTER TABLE guide_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE guide_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guide_versions USING (in_scope(organization_id));
ALTER TABLE guide_reads ENABLE ROW LEVEL SECURITY;
ALTER TABLE guide_reads FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guide_reads USING (in_scope(organization_id));

-- Who is asked to read what is published, and for which office: who is not confirmed will be. An office where providers work by
-- themselves sends and receives, one that only has groups does what they may; of which nothing is known, either.
CREATE VIEW guide_audience WITH (security_invoker = true) AS
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
        OR (v.offices = 'SENDING' AND side.sends) OR (v.offices = 'RECEIVING' AND side.receives));
