-- The same walls, cheaper. PostgreSQL asks the policies of a table in the reverse order of their names, so that "own", which ends it
-- for most rows, came after what is costly: the other begins with it.
ALTER POLICY shown ON participations USING (in_scope(organization_id) OR in_network()
    AND EXISTS (SELECT FROM shown WHERE id = provider_id) AND EXISTS (SELECT FROM shown WHERE id = office_id));
ALTER POLICY own ON participation_verifications USING (in_scope(NULL)
    OR EXISTS (SELECT FROM participations p WHERE p.id = participation_id AND in_scope(p.organization_id)));
