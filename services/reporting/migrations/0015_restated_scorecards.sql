-- What rules say of weeks that were measured, since late facts changed it (R31, R32); what they said first stays as it is.
CREATE TABLE scorecard_restatements (
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    week_of date NOT NULL,
    measure scorecard_measure NOT NULL,
    part integer NOT NULL CHECK (part BETWEEN 0 AND whole),
    whole integer NOT NULL,
    verdict scorecard_verdict NOT NULL,
    missed uuid[] NOT NULL,
    restated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, subject_id, week_of, measure),
    FOREIGN KEY (organization_id, subject_id, week_of, measure) REFERENCES scorecard_results
);

-- When a week was over, where the organization is; null of those that were measured before this was noted.
ALTER TABLE scorecard_weeks ADD COLUMN ends_at timestamptz;

-- Weeks that were measured, and of which facts were heard since: each is counted again once, and then is in doubt no more.
CREATE TABLE scorecard_doubts (
    organization_id uuid NOT NULL,
    week_of date NOT NULL,
    PRIMARY KEY (organization_id, week_of)
);
INSERT INTO scorecard_doubts SELECT organization_id, week_of FROM scorecard_weeks;

ALTER TABLE scorecard_restatements ENABLE ROW LEVEL SECURITY;
ALTER TABLE scorecard_restatements FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON scorecard_restatements USING (in_scope(organization_id));
ALTER TABLE scorecard_doubts ENABLE ROW LEVEL SECURITY;
ALTER TABLE scorecard_doubts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON scorecard_doubts USING (in_scope(organization_id));
