-- Row-level security of what other services told: an organization's people and plans are its own. What the network may know of
-- them stands in `listings` and `answering`. docs/decisions/0004-row-level-security.md.
ALTER TABLE participations_heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE participations_heard FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON participations_heard USING (in_scope(organization_id));

ALTER TABLE users_heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE users_heard FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users_heard USING (in_scope(organization_id));

ALTER TABLE office_users_heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE office_users_heard FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON office_users_heard USING (in_scope(organization_id));

ALTER TABLE answers_heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers_heard FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own_offices ON answers_heard USING (
    EXISTS (SELECT FROM offices o WHERE o.id = office_id AND in_scope(o.organization_id)));

-- Everybody in the network finds listings; only their organization's transactions write them.
DROP POLICY network ON listings;
CREATE POLICY own ON listings USING (in_scope(organization_id));
CREATE POLICY shown ON listings FOR SELECT USING (in_network());
