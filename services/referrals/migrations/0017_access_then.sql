-- Who was at the ends of a referral, and on a group's staff, from when until when: so that "who could see it on that day" has an answer.
-- Half-open spans. What was so before this file is in `hops` and in today's tables, but not who it was in between: for referrals
-- that are older the answer begins with the day this file was applied, and says so.
CREATE TABLE referral_ends (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    side text NOT NULL CHECK (side IN ('SENDING', 'RECEIVING')),
    hop integer NOT NULL,
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    provider_id uuid,
    group_id uuid,
    from_at timestamptz NOT NULL,
    until_at timestamptz,
    went_on boolean NOT NULL DEFAULT false,
    CONSTRAINT went_on_is_over CHECK (NOT went_on OR until_at IS NOT NULL)
);
COMMENT ON COLUMN referral_ends.went_on IS 'the referral went on from there: a past receiver, unlike one it was reassigned from';
CREATE INDEX referral_ends_of ON referral_ends (referral_id, organization_id);
CREATE UNIQUE INDEX referral_ends_current ON referral_ends (referral_id, side) WHERE until_at IS NULL;

INSERT INTO referral_ends (referral_id, side, hop, organization_id, office_id, provider_id, group_id, from_at)
SELECT id, 'SENDING', 1, sending_organization_id, sending_office_id, sending_provider_id, sending_group_id, created_at FROM referrals;
INSERT INTO referral_ends (referral_id, side, hop, organization_id, office_id, provider_id, group_id, from_at, until_at, went_on)
SELECT referral_id, 'RECEIVING', hop, organization_id, office_id, provider_id, group_id, received_at, left_at, left_at IS NOT NULL FROM hops;

CREATE FUNCTION referrals_remember_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'INSERT' OR (old.sending_office_id, old.sending_provider_id, old.sending_group_id)
            IS DISTINCT FROM (new.sending_office_id, new.sending_provider_id, new.sending_group_id) THEN
        UPDATE referral_ends SET until_at = new.changed_at
            WHERE referral_id = new.id AND side = 'SENDING' AND until_at IS NULL;
        INSERT INTO referral_ends VALUES (new.id, 'SENDING', 1, new.sending_organization_id, new.sending_office_id,
            new.sending_provider_id, new.sending_group_id, new.changed_at);
    END IF;
    IF new.sent_at IS NOT NULL AND (tg_op = 'INSERT' OR old.sent_at IS NULL OR new.hop <> old.hop
            OR (old.receiving_organization_id, old.receiving_office_id, old.receiving_provider_id, old.receiving_group_id)
            IS DISTINCT FROM
            (new.receiving_organization_id, new.receiving_office_id, new.receiving_provider_id, new.receiving_group_id)) THEN
        UPDATE referral_ends SET until_at = new.changed_at, went_on = hop <> new.hop
            WHERE referral_id = new.id AND side = 'RECEIVING' AND until_at IS NULL;
        INSERT INTO referral_ends VALUES (new.id, 'RECEIVING', new.hop, new.receiving_organization_id, new.receiving_office_id,
            new.receiving_provider_id, new.receiving_group_id, new.changed_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER remember_ends AFTER INSERT OR UPDATE ON referrals FOR EACH ROW EXECUTE FUNCTION referrals_remember_ends();

CREATE TABLE group_staff_then (
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz
);
CREATE INDEX group_staff_then_of ON group_staff_then (organization_id, group_id);
CREATE UNIQUE INDEX group_staff_then_current ON group_staff_then (group_id, user_id) WHERE until_at IS NULL;
INSERT INTO group_staff_then SELECT organization_id, group_id, user_id, now() FROM group_staff;

ALTER TABLE referral_ends ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_ends FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON referral_ends FOR SELECT USING (in_scope(organization_id));
CREATE POLICY of_ends ON referral_ends USING (in_scope(NULL) OR sees_ends(referral_id));
ALTER TABLE group_staff_then ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_staff_then FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON group_staff_then USING (in_scope(organization_id));
