-- R14: who removes a provider loses the referrals of every record that was merged into it as well: they are the same person's.
CREATE TABLE merged_providers (
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    PRIMARY KEY (organization_id, provider_id)
);
CREATE INDEX merged_providers_into ON merged_providers (organization_id, survivor_id);
ALTER TABLE merged_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE merged_providers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON merged_providers USING (in_scope(organization_id));
