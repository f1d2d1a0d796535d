-- Who may read a listing does not depend on whose it is: said so, the search needs no column that is not in its index. Whose it is
-- counts for writing alone.
DROP POLICY own ON listings;
CREATE POLICY own_new ON listings FOR INSERT WITH CHECK (in_scope(organization_id));
CREATE POLICY own_changed ON listings FOR UPDATE USING (in_scope(organization_id));
CREATE POLICY own_gone ON listings FOR DELETE USING (in_scope(organization_id));
