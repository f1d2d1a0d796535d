-- Row-level security: an organization's own, and to everybody who is signed in what directory shows of others: what is accepted
-- where both the provider and the office are shown. docs/decisions/0004-row-level-security.md.
ALTER TABLE participations ENABLE ROW LEVEL SECURITY;
ALTER TABLE participations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON participations USING (in_scope(organization_id));
CREATE POLICY shown ON participations FOR SELECT USING (in_network()
    AND EXISTS (SELECT FROM shown WHERE id = provider_id) AND EXISTS (SELECT FROM shown WHERE id = office_id));

ALTER TABLE participation_verifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE participation_verifications FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON participation_verifications USING (
    EXISTS (SELECT FROM participations p WHERE p.id = participation_id AND in_scope(p.organization_id)));

ALTER TABLE departures ENABLE ROW LEVEL SECURITY;
ALTER TABLE departures FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON departures USING (in_scope(organization_id));

-- Who reads a row of another organization is told how old it is there: by its calendar.
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (in_scope(organization_id));
CREATE POLICY calendars ON organizations FOR SELECT USING (in_network());
