-- The same walls, cheaper: as a question of its own in each policy the planner prepared a search of referrals, with all its
-- indexes, anew for every statement; a function keeps its plan. Each still sees through the walls of who asks.

CREATE FUNCTION own_organization() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('suite.organization', true), '')::uuid;

-- Whether the transaction's organization sends the referral, or has it now.
CREATE FUNCTION sees_ends(referral_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referrals r WHERE r.id = sees_ends.referral_id
        AND own_organization() IN (r.sending_organization_id, r.receiving_organization_id));
END $$;
-- Whether it sees the referral at all.
CREATE FUNCTION sees_referral(referral_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referrals r WHERE r.id = sees_referral.referral_id);
END $$;
-- Whether it has something that the other organization has sent, or the other one has something of it.
CREATE INDEX referrals_between ON referrals (receiving_organization_id, sending_organization_id);
CREATE FUNCTION receives_from(organization_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referrals r WHERE r.sending_organization_id = receives_from.organization_id
        AND r.receiving_organization_id = own_organization());
END $$;
CREATE FUNCTION sends_to(organization_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referrals r WHERE r.receiving_organization_id = sends_to.organization_id
        AND r.sending_organization_id = own_organization());
END $$;

-- in_scope(NULL): our own services, who need not be asked further.
ALTER POLICY of_ends ON hops USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_ends ON appointments USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_ends ON steps USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_ends ON overdue_told USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_ends ON messages USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_referral ON patients USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_referral ON outcome_reports USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_referral ON patient_marks USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER POLICY of_referral ON archived USING (in_scope(NULL) OR sees_referral(referral_id));
ALTER POLICY of_referral ON messages_read USING (in_scope(NULL) OR sees_referral(referral_id));
ALTER POLICY of_senders ON data_keys USING (receives_from(organization_id));
ALTER POLICY of_receivers ON targets USING (sends_to(organization_id));
