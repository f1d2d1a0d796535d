-- The same walls, cheaper. PostgreSQL asks the policies of a table in the reverse order of their names, so that "own", which ends it
-- for most rows, came after what is costly: the others begin with it.
ALTER POLICY shown ON placements USING (in_scope(organization_id) OR in_network()
    AND EXISTS (SELECT FROM providers p WHERE p.id = provider_id AND p.state = 'APPROVED')
    AND EXISTS (SELECT FROM offices o WHERE o.id = office_id AND o.state IN ('LIVE', 'CLOSING')));
ALTER POLICY shown ON group_offices USING (in_scope(organization_id)
    OR EXISTS (SELECT FROM groups g WHERE g.id = group_id) AND EXISTS (SELECT FROM offices o WHERE o.id = office_id));
ALTER POLICY shown ON group_providers USING (in_scope(organization_id)
    OR EXISTS (SELECT FROM groups g WHERE g.id = group_id) AND EXISTS (SELECT FROM providers p WHERE p.id = provider_id));
ALTER POLICY of_own ON group_staff USING (in_scope(NULL)
    OR EXISTS (SELECT FROM groups g WHERE g.id = group_id AND in_scope(g.organization_id)));
