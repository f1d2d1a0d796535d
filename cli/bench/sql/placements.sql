-- Made-up organizations with the numbers from bench.first to before bench.last, all over the country: each has 50 offices, 130 providers
-- and 200 placements at which three plans are accepted. Most offices are in 300 towns, the largest of which has one in twenty, and
-- specialties and plans are as uneven. Whoever has the same number is made alike. No trigger and no index stands in the way
-- meanwhile: the listings are made at the end, from the view that they are always made from, and their indexes after them.
SET session_replication_role = replica;
SET work_mem = '64MB';
SET maintenance_work_mem = '256MB';
ALTER TABLE placements DROP CONSTRAINT IF EXISTS placements_overlap;
DROP INDEX IF EXISTS listings_near, listings_office, listings_receiver, listed_names_like, participations_heard_at;

CREATE OR REPLACE FUNCTION bench_draw(what text, number bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashtextextended(what, number) & 1073741823)::double precision / 1073741824;

-- A number below `most`, small ones more often.
CREATE OR REPLACE FUNCTION bench_few(what text, number bigint, most integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN floor(3 * power((most + 3) / 3.0, bench_draw(what, number)) - 3)::integer;

CREATE OR REPLACE FUNCTION bench_id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || number)::uuid;

CREATE TEMP TABLE organizations AS
SELECT number, bench_id('organization', number) AS id
FROM generate_series(current_setting('bench.first')::bigint, current_setting('bench.last')::bigint - 1) AS number;
CREATE TEMP TABLE npis AS
SELECT row_number() OVER () - 1 AS place, npi FROM (
    SELECT (1555500000 + number)::text AS npi FROM generate_series(0, 1500) AS number
) AS tried WHERE npi_is_valid(npi) LIMIT 130;

INSERT INTO specialties (code, grouping, classification, specialization, name)
SELECT 'B' || lpad(number::text, 8, '0') || 'X', 'Made up', 'Classification ' || number / 4, 'Part ' || number, 'Made up ' || number
FROM generate_series(0, 119) AS number ON CONFLICT DO NOTHING;

INSERT INTO offices (id, organization_id, name, line1, city, region, postal_code, latitude, longitude, located_by, phone, time_zone,
    state, go_live_on, lead_days, added_by, added_at, live_at)
SELECT bench_id('office', number), organization_id, 'Office ' || number, number || ' Main Street', 'Town ' || town, 'IL', '60601',
    26 + 21 * bench_draw('latitude of town', town) + 0.3 * (bench_draw('up', number) + bench_draw('down', number) - 1),
    -122 + 50 * bench_draw('longitude of town', town) + 0.4 * (bench_draw('left', number) + bench_draw('right', number) - 1),
    'GIVEN', '312-555-0100', 'America/Chicago', 'LIVE', '2026-01-01', 30, organization_id, '2026-01-01', '2026-01-01'
FROM (
    SELECT *, CASE WHEN bench_draw('in town', number) < 0.85 THEN bench_few('town', number, 300) ELSE 1000 + number END AS town
    FROM (SELECT o.id AS organization_id, 50 * o.number + place AS number FROM organizations o, generate_series(0, 49) AS place) AS offices
) AS placed;

INSERT INTO users_heard (user_id, organization_id, confirmed) SELECT bench_id('user', number), id, true FROM organizations;
INSERT INTO office_users_heard (user_id, organization_id, office_id, role)
SELECT bench_id('user', o.number), o.id, bench_id('office', 50 * o.number + place), 'OFFICE_STAFF'
FROM organizations o, generate_series(0, 49) AS place;

INSERT INTO providers (id, organization_id, state, npi, first_name, last_name, added_by, added_at, approved_at)
SELECT bench_id('provider', number), id, 'APPROVED', npi,
    (ARRAY['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gus', 'Hana', 'Ivo', 'Jane', 'Kurt', 'Lena'])[1 + bench_few('first', number, 12)],
    (ARRAY['Al', 'Ber', 'Cor', 'Dan', 'El', 'Far', 'Gor', 'Hol', 'Im', 'Jor', 'Kel', 'Lam', 'Mor', 'Nor', 'Ol', 'Per'])[1 + bench_few('a', number, 16)]
    || (ARRAY['ba', 'den', 'er', 'fi', 'gan', 'hill', 'in', 'ker', 'low', 'man', 'ner', 'on'])[1 + bench_few('b', number, 12)]
    || (ARRAY['s', 'son', 'ton', 'er', 'well', 'field', 'by', 'wood'])[1 + bench_few('c', number, 8)],
    id, '2026-01-01', '2026-01-01'
FROM (SELECT o.id, npi, 130 * o.number + place AS number FROM organizations o, npis) AS people;

INSERT INTO provider_specialties (provider_id, rank, code)
SELECT DISTINCT ON (provider_id, code) provider_id, rank, code FROM (
    SELECT bench_id('provider', 130 * o.number + place) AS provider_id, rank,
        'B' || lpad(bench_few('specialty' || rank, 130 * o.number + place, 120)::text, 8, '0') || 'X' AS code
    FROM organizations o, generate_series(0, 129) AS place, generate_series(1, 2) AS rank
    WHERE rank = 1 OR bench_draw('second', 130 * o.number + place) < 0.3
) AS drawn ORDER BY provider_id, code, rank;

INSERT INTO placements (id, organization_id, provider_id, office_id, effective_from, accepting_new_patients, changed_at)
SELECT bench_id('placement', 200 * o.number + place), o.id, bench_id('provider', 130 * o.number + place % 130),
    bench_id('office', 50 * o.number + place % 50), '2026-01-01', bench_draw('accepting', 200 * o.number + place) < 0.8,
    '2026-01-01'::timestamptz + 200 * bench_draw('changed', 200 * o.number + place) * interval '1 day'
FROM organizations o, generate_series(0, 199) AS place;

INSERT INTO participations_heard (participation_id, organization_id, provider_id, office_id, plan_id, effective_from, verified_on)
SELECT DISTINCT ON (provider_id, office_id, plan_id) bench_id('participation', number), organization_id, provider_id, office_id, plan_id,
    '2026-01-01', '2026-01-01'::date + (200 * bench_draw('verified', number))::integer
FROM (
    SELECT 600 * o.number + 3 * place + plan AS number, o.id AS organization_id, bench_id('provider', 130 * o.number + place % 130) AS provider_id,
        bench_id('office', 50 * o.number + place % 50) AS office_id,
        bench_id('plan', bench_few('plan', 600 * o.number + 3 * place + plan, 60)) AS plan_id
    FROM organizations o, generate_series(0, 199) AS place, generate_series(0, 2) AS plan
) AS accepted ORDER BY provider_id, office_id, plan_id, number;

CREATE INDEX participations_heard_at ON participations_heard (provider_id, office_id, plan_id);
ANALYZE;
INSERT INTO listings (organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region, effective_from,
    effective_until, accepting_new_patients, languages, changed_on, plan_keys, members)
SELECT organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region, effective_from,
    effective_until, accepting_new_patients, languages, changed_on, keys, members
FROM listable WHERE organization_id IN (SELECT id FROM organizations);
INSERT INTO listed_names SELECT DISTINCT office_id, receiver_id, name FROM listings
WHERE organization_id IN (SELECT id FROM organizations);
DROP TABLE organizations, npis;

CREATE INDEX listings_near ON listings (code, cell) INCLUDE (
    id, receiver_id, office_id, provider_id, latitude, longitude, city, region, effective_from, effective_until,
    accepting_new_patients, languages, changed_on, plan_keys
);
CREATE INDEX listings_office ON listings (office_id);
CREATE INDEX listings_receiver ON listings (receiver_id);
CREATE INDEX listed_names_like ON listed_names USING gin (name gin_trgm_ops);

