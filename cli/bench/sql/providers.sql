-- The first fifty providers of an organization with their specialties, placements and offices, as one JSON document.
SELECT json_agg(node ORDER BY last_name, first_name, id)::text
FROM (
    SELECT p.last_name, p.first_name, p.id, json_build_object(
        'id', p.id, 'npi', p.npi, 'name', p.first_name || ' ' || p.last_name, 'credential', p.credential,
        'specialties', (
            SELECT coalesce(json_agg(json_build_object('code', s.code, 'name', s.name) ORDER BY ps.rank), '[]')
            FROM provider_specialties AS ps JOIN specialties AS s USING (code) WHERE ps.provider_id = p.id
        ),
        'placements', (
            SELECT coalesce(json_agg(json_build_object(
                'id', pl.id, 'effectiveFrom', pl.effective_from, 'acceptingNewPatients', pl.accepting_new_patients,
                'office', json_build_object('id', o.id, 'name', o.name, 'phone', o.phone, 'address',
                    json_build_object('line1', o.line1, 'city', o.city, 'region', o.region))
            ) ORDER BY pl.effective_from, pl.id), '[]')
            FROM placements AS pl JOIN offices AS o ON o.id = pl.office_id WHERE pl.provider_id = p.id
        )
    ) AS node
    FROM providers AS p
    WHERE p.organization_id = $1 AND p.state <> 'REMOVED'
    ORDER BY p.last_name, p.first_name, p.id
    LIMIT 50
) AS page
