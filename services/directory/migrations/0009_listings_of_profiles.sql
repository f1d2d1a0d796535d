-- Listings know which languages are spoken, and leave out whose NPI the national register has deactivated (R11).
CREATE OR REPLACE VIEW practising WITH (security_invoker = true) AS
SELECT l.organization_id, l.office_id, l.provider_id, s.code, p.first_name || ' ' || p.last_name AS name,
    o.latitude, o.longitude, o.city, o.region, l.effective_from, least(l.effective_until, o.cut_off_on) AS effective_until,
    l.accepting_new_patients, p.languages, (l.changed_at AT TIME ZONE 'UTC')::date AS changed_on, accepted.plans, accepted.keys
FROM placements l
JOIN offices o ON o.id = l.office_id AND o.state = 'LIVE' AND (o.cut_off_on IS NULL OR o.cut_off_on > l.effective_from)
JOIN providers p ON p.id = l.provider_id AND p.state = 'APPROVED' AND p.npi_status <> 'DEACTIVATED'
JOIN provider_specialties s ON s.provider_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('plan', h.plan_id, 'from', h.effective_from, 'until', h.effective_until,
            'verified', h.verified_on) ORDER BY h.plan_id, h.effective_from), '[]') AS plans,
        coalesce(array_agg(DISTINCT plan_key(h.plan_id)), '{}') AS keys
    FROM participations_heard h WHERE h.provider_id = l.provider_id AND h.office_id = l.office_id
        AND (h.effective_until IS NULL OR h.effective_until > h.effective_from)
) AS accepted
WHERE l.effective_until IS NULL OR l.effective_until > l.effective_from;

-- What the register says besides of an NPI that it has deactivated; it means nothing while npi_status is another.
ALTER TABLE providers
    ADD COLUMN npi_deactivated_on date,
    ADD COLUMN npi_replaced_by text CHECK (npi_is_valid(npi_replaced_by));

SELECT set_config('suite.scope', 'suite', true);
UPDATE listings l SET languages = p.languages FROM providers p WHERE p.id = l.provider_id AND p.languages <> '{}';
