-- The call centre's feed (R10): what changes with an organization's providers and offices, for its call-centre users.

-- Who they are, as identity tells it. An organization without any has no feed.
CREATE TABLE call_centre_heard (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

-- What has been touched since the feed was last told, and how it was before: only what is another then is told. A row is locked by
-- whoever touches it until that is committed, so that nobody tells of half a change.
CREATE TABLE feed_pending (
    organization_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('PROVIDER', 'OFFICE', 'PLACEMENT', 'PLANS')),
    provider_id uuid,
    office_id uuid,
    before jsonb NOT NULL,
    since timestamptz NOT NULL,
    touched integer NOT NULL DEFAULT 1,
    CONSTRAINT feed_pending_once UNIQUE NULLS NOT DISTINCT (kind, provider_id, office_id),
    CHECK ((kind = 'OFFICE') = (provider_id IS NULL) AND (kind = 'PROVIDER') = (office_id IS NULL))
);
CREATE INDEX feed_pending_since ON feed_pending (organization_id, since);

-- What was told. DIGEST: many things at once, of which only the numbers are kept.
CREATE TABLE feed_items (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('PROVIDER', 'OFFICE', 'DIGEST')),
    subject_id uuid,
    changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'array'),
    subjects integer NOT NULL DEFAULT 1 CHECK (subjects > 0),
    told_at timestamptz NOT NULL,
    grown_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    escalated_at timestamptz,
    CHECK ((kind = 'DIGEST') = (subject_id IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE INDEX feed_items_of ON feed_items (organization_id, told_at, id);
CREATE INDEX feed_items_open ON feed_items (organization_id, told_at, id) WHERE acknowledged_at IS NULL;
CREATE INDEX feed_items_late ON feed_items (told_at) WHERE acknowledged_at IS NULL AND escalated_at IS NULL;

ALTER TABLE call_centre_heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_centre_heard FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON call_centre_heard USING (in_scope(organization_id));
ALTER TABLE feed_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON feed_pending USING (in_scope(organization_id));
ALTER TABLE feed_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON feed_items USING (in_scope(organization_id));

-- How things are, as far as the feed is about them -------------------------------------------------------------------------

CREATE FUNCTION feed_placements(provider uuid, office uuid) RETURNS jsonb LANGUAGE sql STABLE RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('from', effective_from, 'until', effective_until,
        'accepting', accepting_new_patients) ORDER BY effective_from, id), '[]')
    FROM placements WHERE provider_id = provider AND office_id = office
);

CREATE FUNCTION feed_plans(provider uuid, office uuid) RETURNS jsonb LANGUAGE sql STABLE RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('plan', plan_id, 'from', effective_from, 'until', effective_until)
        ORDER BY plan_id, effective_from, participation_id), '[]')
    FROM participations_heard WHERE provider_id = provider AND office_id = office
);

-- The suite's time, as in identity: what was touched is told by its clock.
CREATE FUNCTION suite_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN clock_timestamp() + coalesce((SELECT shift FROM clock_offset), interval '0');

-- When it is touched -------------------------------------------------------------------------------------------------------

CREATE FUNCTION feed_has_readers(organization uuid) RETURNS boolean LANGUAGE sql STABLE RETURN (
    EXISTS (SELECT FROM call_centre_heard WHERE organization_id = organization)
);

CREATE FUNCTION feed_touch(organization uuid, what text, provider uuid, office uuid, state jsonb) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO feed_pending (organization_id, kind, provider_id, office_id, before, since)
    VALUES (organization, what, provider, office, state, suite_now())
    ON CONFLICT (kind, provider_id, office_id) DO UPDATE SET touched = feed_pending.touched + 1;
END;

-- Before the row is another: what the table says of the pair is still how it was.
CREATE FUNCTION feed_of_placement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF feed_has_readers(coalesce(NEW.organization_id, OLD.organization_id)) THEN
        PERFORM feed_touch(organization_id, 'PLACEMENT', provider_id, office_id, feed_placements(provider_id, office_id))
        FROM (SELECT DISTINCT organization_id, provider_id, office_id FROM (VALUES
            (OLD.organization_id, OLD.provider_id, OLD.office_id), (NEW.organization_id, NEW.provider_id, NEW.office_id)
        ) AS both_ends (organization_id, provider_id, office_id)) AS pair WHERE provider_id IS NOT NULL;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER told_to_call_centre BEFORE INSERT OR UPDATE OR DELETE ON placements
    FOR EACH ROW EXECUTE FUNCTION feed_of_placement();

CREATE FUNCTION feed_of_plans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF feed_has_readers(coalesce(NEW.organization_id, OLD.organization_id)) THEN
        PERFORM feed_touch(organization_id, 'PLANS', provider_id, office_id, feed_plans(provider_id, office_id))
        FROM (SELECT DISTINCT organization_id, provider_id, office_id FROM (VALUES
            (OLD.organization_id, OLD.provider_id, OLD.office_id), (NEW.organization_id, NEW.provider_id, NEW.office_id)
        ) AS both_ends (organization_id, provider_id, office_id)) AS pair WHERE provider_id IS NOT NULL;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER told_to_call_centre BEFORE INSERT OR UPDATE OF effective_from, effective_until, provider_id, office_id OR DELETE
    ON participations_heard FOR EACH ROW EXECUTE FUNCTION feed_of_plans();

CREATE FUNCTION feed_of_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF feed_has_readers(NEW.organization_id) THEN
        PERFORM feed_touch(NEW.organization_id, 'PROVIDER', NEW.id, NULL,
            jsonb_build_object('state', OLD.state, 'merged_into', OLD.merged_into));
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER told_to_call_centre BEFORE UPDATE ON providers FOR EACH ROW
    WHEN ((OLD.state, OLD.merged_into) IS DISTINCT FROM (NEW.state, NEW.merged_into)) EXECUTE FUNCTION feed_of_provider();

CREATE FUNCTION feed_of_office() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF feed_has_readers(NEW.organization_id) THEN
        PERFORM feed_touch(NEW.organization_id, 'OFFICE', NULL, NEW.id,
            jsonb_build_object('state', OLD.state, 'closes_on', OLD.closes_on));
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER told_to_call_centre BEFORE UPDATE ON offices FOR EACH ROW
    WHEN ((OLD.state, OLD.closes_on) IS DISTINCT FROM (NEW.state, NEW.closes_on)) EXECUTE FUNCTION feed_of_office();
