-- Row-level security: who belongs to an organization, what they are granted there, and its partners are its own; the names of
-- organizations are the network's. Accounts (users, their passwords, factors, sessions and letters) have no wall: they belong to
-- people, who may work for several organizations, and are looked up before anybody is known; a user of an organization is read
-- through the membership. What is done for nobody who is signed in asks for everything in its action.
-- docs/decisions/0004-row-level-security.md.
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (in_scope(id));
CREATE POLICY names ON organizations FOR SELECT USING (in_network());

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON memberships USING (in_scope(organization_id));

ALTER TABLE grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE grants FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own ON grants USING (
    EXISTS (SELECT FROM memberships m WHERE m.id = membership_id AND in_scope(m.organization_id)));

ALTER TABLE closed_offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE closed_offices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON closed_offices USING (in_scope(organization_id));

ALTER TABLE partners ENABLE ROW LEVEL SECURITY;
ALTER TABLE partners FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON partners USING (in_scope(organization_id));
