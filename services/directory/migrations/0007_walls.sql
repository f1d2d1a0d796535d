-- Row-level security: an organization's own, and to everybody who is signed in what the network shows of others (policy.py):
-- providers once approved, offices once live, groups once ready, and where a patient can be seen.
-- docs/decisions/0004-row-level-security.md.

ALTER TABLE organization_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organization_settings USING (in_scope(organization_id));

ALTER TABLE providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE providers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON providers USING (in_scope(organization_id));
CREATE POLICY shown ON providers FOR SELECT USING (approved_at IS NOT NULL AND in_network());

ALTER TABLE provider_specialties ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_specialties FORCE ROW LEVEL SECURITY;
CREATE POLICY of_seen ON provider_specialties FOR SELECT USING (
    in_scope(NULL) OR EXISTS (SELECT FROM providers p WHERE p.id = provider_id));
CREATE POLICY of_own_new ON provider_specialties FOR INSERT WITH CHECK (
    EXISTS (SELECT FROM providers p WHERE p.id = provider_id AND in_scope(p.organization_id)));
CREATE POLICY of_own_changed ON provider_specialties FOR UPDATE USING (
    EXISTS (SELECT FROM providers p WHERE p.id = provider_id AND in_scope(p.organization_id)));
CREATE POLICY of_own_gone ON provider_specialties FOR DELETE USING (
    EXISTS (SELECT FROM providers p WHERE p.id = provider_id AND in_scope(p.organization_id)));

ALTER TABLE offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE offices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON offices USING (in_scope(organization_id));
CREATE POLICY shown ON offices FOR SELECT USING (live_at IS NOT NULL AND in_network());

-- On which days is for policy.py to say: it reads the calendar of the office.
ALTER TABLE placements ENABLE ROW LEVEL SECURITY;
ALTER TABLE placements FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON placements USING (in_scope(organization_id));
CREATE POLICY shown ON placements FOR SELECT USING (in_network()
    AND EXISTS (SELECT FROM providers p WHERE p.id = provider_id AND p.state = 'APPROVED')
    AND EXISTS (SELECT FROM offices o WHERE o.id = office_id AND o.state IN ('LIVE', 'CLOSING')));

ALTER TABLE groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE groups FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON groups USING (in_scope(organization_id));
CREATE POLICY shown ON groups FOR SELECT USING (ready_at IS NOT NULL AND in_network());

ALTER TABLE group_offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_offices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_offices USING (in_scope(organization_id));
CREATE POLICY shown ON group_offices FOR SELECT USING (
    EXISTS (SELECT FROM groups g WHERE g.id = group_id) AND EXISTS (SELECT FROM offices o WHERE o.id = office_id));

ALTER TABLE group_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_providers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_providers USING (in_scope(organization_id));
CREATE POLICY shown ON group_providers FOR SELECT USING (
    EXISTS (SELECT FROM groups g WHERE g.id = group_id) AND EXISTS (SELECT FROM providers p WHERE p.id = provider_id));

-- Who works for a group is nobody else's business.
ALTER TABLE group_staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_staff FORCE ROW LEVEL SECURITY;
CREATE POLICY of_own ON group_staff USING (
    EXISTS (SELECT FROM groups g WHERE g.id = group_id AND in_scope(g.organization_id)));

ALTER TABLE suggestions ENABLE ROW LEVEL SECURITY;
ALTER TABLE suggestions FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON suggestions USING (in_scope(organization_id));

ALTER TABLE import_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON import_batches USING (in_scope(organization_id));
