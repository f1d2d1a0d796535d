-- Row-level security: everything here is one organization's own. Consumers and jobs see everything.
-- docs/decisions/0004-row-level-security.md.
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (in_scope(organization_id));
ALTER TABLE groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE groups FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON groups USING (in_scope(organization_id));
ALTER TABLE referral_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON referral_changes USING (in_scope(organization_id));
ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON referrals USING (in_scope(organization_id));
ALTER TABLE published_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE published_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON published_reports USING (in_scope(organization_id));
ALTER TABLE report_reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_reviews FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON report_reviews USING (in_scope(organization_id));
