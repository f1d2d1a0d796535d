-- The search: what everybody in the network may find, one row for each receiver at an office and each of its specialties, so that
-- a suggestion reads one index. Rows are made anew in the transaction of whatever they follow from, at its end: see list_again.

-- Where a listing is looked for: its square of a tenth of a degree, or, as long as its office stands at no known point, its state.
CREATE FUNCTION cell_of(latitude double precision, longitude double precision, region text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN latitude IS NULL THEN -(ascii(region) * 128 + ascii(substr(region, 2)))
    ELSE floor((latitude + 90) * 10)::integer * 3600 + least(floor((longitude + 180) * 10)::integer, 3599)
END;

-- A plan as a number: what an index can hold of many plans. Two plans may share one; whoever finds one looks at the plan itself.
CREATE FUNCTION plan_key(plan_id uuid) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || right(plan_id::text, 8))::bit(32)::integer;

-- A provider at a live office that has staff, or a ready group that receives at a live office.
CREATE TABLE listings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    provider_id uuid,
    group_id uuid,
    receiver_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(provider_id, group_id)) STORED,
    code text NOT NULL,
    name text NOT NULL,
    latitude double precision,
    longitude double precision,
    city text NOT NULL,
    region text NOT NULL,
    cell integer NOT NULL GENERATED ALWAYS AS (cell_of(latitude, longitude, region)) STORED,
    -- The days on which somebody can be seen there; until NULL: no end.
    effective_from date NOT NULL,
    effective_until date,
    accepting_new_patients boolean NOT NULL,
    languages text[] NOT NULL,
    changed_on date NOT NULL,
    -- The plan_key of every plan that is ever accepted there; NULL: more than the index has room for, look at `members`.
    plan_keys integer[],
    -- The provider, or each member of the group who has the specialty: since when and until when, and which plans on which days.
    members jsonb NOT NULL,
    CHECK (num_nonnulls(provider_id, group_id) = 1)
);
CREATE INDEX listings_near ON listings (code, cell) INCLUDE (
    id, receiver_id, office_id, provider_id, latitude, longitude, city, region, effective_from, effective_until,
    accepting_new_patients, languages, changed_on, plan_keys
);
CREATE INDEX listings_office ON listings (office_id);
CREATE INDEX listings_receiver ON listings (receiver_id);

ALTER TABLE listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE listings FORCE ROW LEVEL SECURITY;
CREATE POLICY network ON listings USING (in_network());

-- The names of whoever is listed. It tells nothing but names and ids that the network shows to everybody, and has no wall of its
-- own: behind one, no index of letters would be used. Whoever finds an id here still has to read its listings.
CREATE TABLE listed_names (
    office_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (office_id, receiver_id)
);
CREATE INDEX listed_names_like ON listed_names USING gin (name gin_trgm_ops);

-- How soon a receiver answers, counted whenever it does.
CREATE TABLE answering (
    receiver_id uuid NOT NULL,
    office_id uuid NOT NULL,
    answered integer NOT NULL CHECK (answered > 0),
    median_hours double precision NOT NULL,
    PRIMARY KEY (receiver_id, office_id)
);
CREATE INDEX answers_heard_receiver ON answers_heard (coalesce(group_id, provider_id), office_id, sent_at);
DROP INDEX answers_heard_provider, answers_heard_group;

-- When insurance last told of a plan that is accepted somewhere.
CREATE TABLE insurance_heard (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at timestamptz NOT NULL
);

CREATE FUNCTION insurance_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO insurance_heard (at) VALUES (clock_timestamp() + coalesce((SELECT shift FROM clock_offset), '0'::interval))
    ON CONFLICT (only_row) DO UPDATE SET at = excluded.at;
    RETURN NULL;
END
$$;
CREATE TRIGGER heard AFTER INSERT OR UPDATE ON participations_heard FOR EACH STATEMENT EXECUTE FUNCTION insurance_was_heard();

-- What follows from the tables of this service --------------------------------------------------------------------------------

-- Every approved provider at every live office, for each specialty, whether anybody covers the office or not.
CREATE VIEW practising WITH (security_invoker = true) AS
SELECT l.organization_id, l.office_id, l.provider_id, s.code, p.first_name || ' ' || p.last_name AS name,
    o.latitude, o.longitude, o.city, o.region, l.effective_from,
    least(l.effective_until, o.cut_off_on) AS effective_until,
    l.accepting_new_patients, '{}'::text[] AS languages, (l.changed_at AT TIME ZONE 'UTC')::date AS changed_on,
    accepted.plans, accepted.keys
FROM placements l
JOIN offices o ON o.id = l.office_id AND o.state = 'LIVE' AND (o.cut_off_on IS NULL OR o.cut_off_on > l.effective_from)
JOIN providers p ON p.id = l.provider_id AND p.state = 'APPROVED'
JOIN provider_specialties s ON s.provider_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('plan', h.plan_id, 'from', h.effective_from, 'until', h.effective_until,
            'verified', h.verified_on) ORDER BY h.plan_id, h.effective_from), '[]') AS plans,
        coalesce(array_agg(DISTINCT plan_key(h.plan_id)), '{}') AS keys
    FROM participations_heard h WHERE h.provider_id = l.provider_id AND h.office_id = l.office_id
        AND (h.effective_until IS NULL OR h.effective_until > h.effective_from)
) AS accepted
WHERE l.effective_until IS NULL OR l.effective_until > l.effective_from;

-- What belongs into `listings`.
CREATE VIEW listable WITH (security_invoker = true) AS
SELECT organization_id, office_id, provider_id, NULL::uuid AS group_id, code, name, latitude, longitude, city, region,
    effective_from, effective_until, accepting_new_patients, languages, changed_on, keys,
    jsonb_build_array(jsonb_build_object('id', provider_id, 'from', effective_from, 'until', effective_until,
        'accepting', accepting_new_patients, 'changed', changed_on, 'plans', plans)) AS members
FROM practising
WHERE EXISTS (
    SELECT FROM office_users_heard w JOIN users_heard u USING (user_id, organization_id)
    WHERE w.office_id = practising.office_id AND w.organization_id = practising.organization_id AND u.confirmed AND u.active
)
UNION ALL
SELECT m.organization_id, m.office_id, NULL, g.id, m.code, g.name, m.latitude, m.longitude, m.city, m.region,
    min(m.effective_from), CASE WHEN count(m.effective_until) = count(*) THEN max(m.effective_until) END,
    bool_or(m.accepting_new_patients), '{}', max(m.changed_on),
    (SELECT coalesce(array_agg(DISTINCT key), '{}') FROM practising k, unnest(k.keys) AS key
        WHERE k.office_id = m.office_id AND k.code = m.code AND k.provider_id = ANY(array_agg(m.provider_id))),
    jsonb_agg(jsonb_build_object('id', m.provider_id, 'from', m.effective_from, 'until', m.effective_until,
        'accepting', m.accepting_new_patients, 'changed', m.changed_on, 'plans', m.plans)
        ORDER BY m.provider_id, m.effective_from)
FROM practising m
JOIN group_providers i ON i.provider_id = m.provider_id
JOIN group_offices a ON a.group_id = i.group_id AND a.office_id = m.office_id
JOIN groups g ON g.id = i.group_id AND g.state = 'READY' AND g.may_receive
GROUP BY m.organization_id, m.office_id, g.id, m.code, g.name, m.latitude, m.longitude, m.city, m.region;

-- Planned once and not for each office anew: the plan takes longer than the work.
CREATE FUNCTION list_again(office uuid, providers uuid[], some_groups uuid[], everything boolean) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    listed_groups uuid[];
BEGIN
    -- One transaction at a time lists an office again, and sees all that those before it have committed: the last one knows all.
    PERFORM pg_advisory_xact_lock(hashtextextended('listings ' || office, 30));
    listed_groups := some_groups || ARRAY(SELECT group_id FROM group_providers WHERE provider_id = ANY(providers));
    DELETE FROM listings WHERE office_id = office
        AND (everything OR receiver_id = ANY(providers) OR receiver_id = ANY(listed_groups));
    IF everything OR cardinality(providers) > 0 THEN
        INSERT INTO listings (organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
            effective_from, effective_until, accepting_new_patients, languages, changed_on, plan_keys, members)
        SELECT organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
            effective_from, effective_until, accepting_new_patients, languages, changed_on,
            CASE WHEN cardinality(keys) <= 200 THEN keys END, members
        FROM listable WHERE office_id = office AND provider_id IS NOT NULL AND (everything OR provider_id = ANY(providers));
    END IF;
    IF everything OR cardinality(listed_groups) > 0 THEN
        INSERT INTO listings (organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
            effective_from, effective_until, accepting_new_patients, languages, changed_on, plan_keys, members)
        SELECT organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
            effective_from, effective_until, accepting_new_patients, languages, changed_on,
            CASE WHEN cardinality(keys) <= 200 THEN keys END, members
        FROM listable WHERE office_id = office AND group_id IS NOT NULL AND (everything OR group_id = ANY(listed_groups));
    END IF;
    DELETE FROM listed_names n WHERE n.office_id = office
        AND (everything OR n.receiver_id = ANY(providers) OR n.receiver_id = ANY(listed_groups));
    INSERT INTO listed_names (office_id, receiver_id, name)
    SELECT DISTINCT office_id, receiver_id, name FROM listings WHERE office_id = office
        AND (everything OR receiver_id = ANY(providers) OR receiver_id = ANY(listed_groups));
END
$$;

-- When it is done ----------------------------------------------------------------------------------------------------------------

-- What this transaction has changed that listings follow from. Neither: everything of the office. It is empty between transactions.
CREATE UNLOGGED TABLE listing_changes (
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    office_id uuid NOT NULL,
    provider_id uuid,
    group_id uuid
);
CREATE INDEX listing_changes_of ON listing_changes (transaction);

-- At the end of a transaction, once for all it has changed, office by office in one order so that two never wait for each other.
CREATE FUNCTION list_what_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN
        WITH taken AS (DELETE FROM listing_changes WHERE transaction = pg_current_xact_id() RETURNING *)
        SELECT office_id, bool_or(provider_id IS NULL AND group_id IS NULL) AS everything,
            coalesce(array_agg(DISTINCT provider_id) FILTER (WHERE provider_id IS NOT NULL), '{}') AS providers,
            coalesce(array_agg(DISTINCT group_id) FILTER (WHERE group_id IS NOT NULL), '{}') AS groups
        FROM taken GROUP BY office_id ORDER BY office_id
    LOOP
        PERFORM list_again(change.office_id, change.providers, change.groups, change.everything);
    END LOOP;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER list_what_changed AFTER INSERT ON listing_changes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION list_what_changed();

CREATE FUNCTION listing_of_placement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, provider_id)
    SELECT DISTINCT office_id, provider_id FROM (VALUES (OLD.office_id, OLD.provider_id), (NEW.office_id, NEW.provider_id))
        AS one (office_id, provider_id) WHERE office_id IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON placements FOR EACH ROW EXECUTE FUNCTION listing_of_placement();
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON participations_heard FOR EACH ROW EXECUTE FUNCTION listing_of_placement();

CREATE FUNCTION listing_of_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, provider_id)
    SELECT DISTINCT office_id, provider_id FROM placements WHERE provider_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER UPDATE ON providers FOR EACH ROW EXECUTE FUNCTION listing_of_provider();

CREATE FUNCTION listing_of_specialty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, provider_id)
    SELECT DISTINCT office_id, provider_id FROM placements WHERE provider_id IN (OLD.provider_id, NEW.provider_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON provider_specialties FOR EACH ROW EXECUTE FUNCTION listing_of_specialty();

CREATE FUNCTION listing_of_office() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER UPDATE ON offices FOR EACH ROW
    WHEN ((OLD.state, OLD.latitude, OLD.longitude, OLD.city, OLD.region, OLD.cut_off_on)
        IS DISTINCT FROM (NEW.state, NEW.latitude, NEW.longitude, NEW.city, NEW.region, NEW.cut_off_on))
    EXECUTE FUNCTION listing_of_office();

CREATE FUNCTION listing_of_roster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id)
    SELECT DISTINCT office_id FROM (VALUES (OLD.office_id), (NEW.office_id)) AS one (office_id) WHERE office_id IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON office_users_heard FOR EACH ROW EXECUTE FUNCTION listing_of_roster();

CREATE FUNCTION listing_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id)
    SELECT DISTINCT office_id FROM office_users_heard WHERE user_id = NEW.user_id AND organization_id = NEW.organization_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER UPDATE ON users_heard FOR EACH ROW
    WHEN ((OLD.confirmed, OLD.active) IS DISTINCT FROM (NEW.confirmed, NEW.active)) EXECUTE FUNCTION listing_of_user();
CREATE TRIGGER listed_new AFTER INSERT ON users_heard FOR EACH ROW WHEN (NEW.confirmed) EXECUTE FUNCTION listing_of_user();

CREATE FUNCTION listing_of_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, group_id) SELECT office_id, group_id FROM group_offices WHERE group_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER UPDATE ON groups FOR EACH ROW EXECUTE FUNCTION listing_of_group();

CREATE FUNCTION listing_of_group_office() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, group_id)
    SELECT DISTINCT office_id, group_id FROM (VALUES (OLD.office_id, OLD.group_id), (NEW.office_id, NEW.group_id))
        AS one (office_id, group_id) WHERE office_id IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON group_offices FOR EACH ROW EXECUTE FUNCTION listing_of_group_office();

CREATE FUNCTION listing_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO listing_changes (office_id, group_id)
    SELECT DISTINCT office_id, group_id FROM group_offices WHERE group_id IN (OLD.group_id, NEW.group_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER listed AFTER INSERT OR UPDATE OR DELETE ON group_providers FOR EACH ROW EXECUTE FUNCTION listing_of_member();

-- What there is already ---------------------------------------------------------------------------------------------------------

-- Behind row-level security the planner reads no statistics of these columns but how many values there are. Where all have the same
-- state it would take it that none has another, and read the whole of an index for one row of it.
ALTER TABLE providers ALTER COLUMN state SET (n_distinct = 6);
ALTER TABLE offices ALTER COLUMN state SET (n_distinct = 5);
ALTER TABLE groups ALTER COLUMN state SET (n_distinct = 4);

SELECT set_config('suite.scope', 'suite', true);
CREATE INDEX placements_provider ON placements (provider_id, office_id);
INSERT INTO listings (organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
    effective_from, effective_until, accepting_new_patients, languages, changed_on, plan_keys, members)
SELECT organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region,
    effective_from, effective_until, accepting_new_patients, languages, changed_on,
    CASE WHEN cardinality(keys) <= 200 THEN keys END, members
FROM listable;
INSERT INTO listed_names SELECT DISTINCT office_id, receiver_id, name FROM listings;
INSERT INTO answering
SELECT coalesce(group_id, provider_id), office_id, count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - sent_at)) / 3600
FROM answers_heard
WHERE acknowledged_at >= sent_at AND coalesce(group_id, provider_id) IS NOT NULL
    AND sent_at >= clock_timestamp() + coalesce((SELECT shift FROM clock_offset), '0'::interval) - interval '90 days'
GROUP BY 1, 2;
