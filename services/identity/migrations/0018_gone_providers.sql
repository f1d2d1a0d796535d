-- Providers of directory that are gone: merged into a survivor, or removed (none). Nobody becomes one of them any more, and who was
-- one is whoever stays at the end, in whatever order it is told.
CREATE TABLE gone_providers (
    organization_id uuid NOT NULL REFERENCES organizations,
    provider_id uuid NOT NULL,
    survivor_id uuid CHECK (survivor_id <> provider_id),
    PRIMARY KEY (organization_id, provider_id)
);
ALTER TABLE gone_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE gone_providers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON gone_providers USING (in_scope(organization_id));
