-- Every fact that was applied, as it was heard and in that order: what everything else that was heard can be made of again
-- (./suite rebuild). `body` is the fact as protobuf.
CREATE TABLE facts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL,
    aggregate_id uuid NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL
);
CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE ON facts FOR EACH ROW EXECUTE FUNCTION stays_as_it_was();
ALTER TABLE facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE facts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON facts USING (in_scope(organization_id));

-- Whether nothing was heard before facts were kept: otherwise there is nothing to make it of again.
CREATE TABLE facts_kept (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    from_the_first boolean NOT NULL
);
INSERT INTO facts_kept (from_the_first) SELECT NOT EXISTS (SELECT FROM organizations);
