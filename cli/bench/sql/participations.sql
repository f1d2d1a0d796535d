-- For each of these providers up to ten participations with their plans, as one JSON document by provider.
SELECT json_object_agg(wanted.id, (
    SELECT coalesce(json_agg(node), '[]')
    FROM (
        SELECT json_build_object(
            'id', p.id, 'effectiveFrom', p.effective_from,
            'plan', json_build_object('id', i.id, 'name', i.name, 'productType', i.product_type)
        ) AS node
        FROM participations AS p JOIN insurance_plans AS i ON i.id = p.plan_id
        WHERE p.provider_id = wanted.id AND p.organization_id = $1
        ORDER BY p.effective_from, p.id
        LIMIT 10
    ) AS page
))::text
FROM unnest($2::uuid[]) AS wanted (id)
