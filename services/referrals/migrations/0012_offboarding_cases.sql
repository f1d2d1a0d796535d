-- R12, R13: a provider who starts to leave has a case of what is open, until the provider is removed or kept. What is open is always
-- asked of the referrals themselves; the items remember what the case has held, so that one sees how far it is.
CREATE TYPE case_end AS ENUM ('REMOVED', 'KEPT');
CREATE TABLE offboarding_cases (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    -- Since when nothing is open any more, as it was told.
    ready_at timestamptz,
    closed_at timestamptz,
    closed_as case_end,
    CONSTRAINT closed_says_how CHECK ((closed_at IS NULL) = (closed_as IS NULL))
);
CREATE UNIQUE INDEX offboarding_cases_one_open ON offboarding_cases (organization_id, provider_id) WHERE closed_at IS NULL;
CREATE INDEX offboarding_cases_of ON offboarding_cases (organization_id, id);
ALTER TABLE offboarding_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE offboarding_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON offboarding_cases USING (in_scope(organization_id));

CREATE TABLE offboarding_items (
    case_id uuid NOT NULL REFERENCES offboarding_cases (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, referral_id)
);
ALTER TABLE offboarding_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE offboarding_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON offboarding_items USING (in_scope(organization_id));
