-- Drafts of referrals as their own organization heard of them (R32): where each was kept, since when, and until when, if it was sent or
-- dropped.
CREATE TABLE drafts (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    office_id uuid NOT NULL,
    group_id uuid,
    drafted_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (organization_id, referral_id)
);
CREATE INDEX drafts_ended ON drafts (organization_id, ended_at);

ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON drafts USING (in_scope(organization_id));

ALTER TYPE scorecard_measure ADD VALUE 'DRAFTS_IN_TIME';
