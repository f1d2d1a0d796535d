-- Row-level security: an organization's transactions see the referrals it sends, those it receives, and, without what came later,
-- those it once received. Our own jobs and consumers see everything. docs/decisions/0004-row-level-security.md.

CREATE FUNCTION any_in_scope(organization_ids uuid[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    current_setting('suite.scope', true) = 'suite'
        OR nullif(current_setting('suite.organization', true), '')::uuid = ANY(organization_ids),
    false
);

-- Who had it before its present hop: they see that it was with them, and its status.
ALTER TABLE referrals ADD COLUMN past_organization_ids uuid[];
UPDATE referrals r SET past_organization_ids =
    (SELECT array_agg(DISTINCT h.organization_id) FROM hops h WHERE h.referral_id = r.id AND h.left_at IS NOT NULL);
CREATE FUNCTION referrals_remember_receivers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.past_organization_ids := array_append(array_remove(old.past_organization_ids, old.receiving_organization_id),
        old.receiving_organization_id);
    RETURN new;
END $$;
CREATE TRIGGER remember_receivers BEFORE UPDATE ON referrals FOR EACH ROW
    WHEN (new.hop <> old.hop AND old.sent_at IS NOT NULL) EXECUTE FUNCTION referrals_remember_receivers();

ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY ends ON referrals USING (
    in_scope(sending_organization_id) OR sent_at IS NOT NULL AND in_scope(receiving_organization_id));
CREATE POLICY past_receivers ON referrals FOR SELECT USING (any_in_scope(past_organization_ids));

-- A past receiver sees its own hops alone. A referral that is not seen hides all of its own, too: policies go through policies.
ALTER TABLE hops ENABLE ROW LEVEL SECURITY;
ALTER TABLE hops FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON hops FOR SELECT USING (in_scope(organization_id));
CREATE POLICY of_ends ON hops USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));

ALTER TABLE appointments ENABLE ROW LEVEL SECURITY;
ALTER TABLE appointments FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON appointments USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
ALTER TABLE steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE steps FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON steps USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
ALTER TABLE overdue_told ENABLE ROW LEVEL SECURITY;
ALTER TABLE overdue_told FORCE ROW LEVEL SECURITY;
CREATE POLICY of_ends ON overdue_told USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id
    AND (in_scope(r.sending_organization_id) OR in_scope(r.receiving_organization_id))));
ALTER TABLE archived ENABLE ROW LEVEL SECURITY;
ALTER TABLE archived FORCE ROW LEVEL SECURITY;
CREATE POLICY of_referral ON archived USING (EXISTS (SELECT FROM referrals r WHERE r.id = referral_id));

ALTER TABLE removed_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE removed_providers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON removed_providers USING (in_scope(organization_id));
ALTER TABLE group_staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_staff FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_staff USING (in_scope(organization_id));
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (in_scope(organization_id));

-- Who sends must meet the receiver's fence, and must know the members of the group that receives.
ALTER TABLE fences ENABLE ROW LEVEL SECURITY;
ALTER TABLE fences FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON fences USING (in_scope(organization_id));
CREATE POLICY met_by_senders ON fences FOR SELECT USING (in_network());
ALTER TABLE group_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_members FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_members USING (in_scope(organization_id));
CREATE POLICY known_to_senders ON group_members FOR SELECT USING (in_network());
