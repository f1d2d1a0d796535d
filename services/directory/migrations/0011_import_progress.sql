-- How far an import of a file has come, as whoever imports keeps it: after an interruption it goes on there. The digest is of the
-- whole file, so another file, or the same one changed, begins anew.
CREATE TABLE import_progress (
    organization_id uuid NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind ~ '^[A-Z]{1,20}$'),
    state text NOT NULL CHECK (octet_length(state) <= 4000),
    kept_at timestamptz NOT NULL,
    kept_by uuid NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, digest, kind)
);
CREATE INDEX import_progress_kept ON import_progress (kept_at);

ALTER TABLE import_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON import_progress USING (in_scope(organization_id));
