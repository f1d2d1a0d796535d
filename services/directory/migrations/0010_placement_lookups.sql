-- The rule that two placements never share a day keeps its own index, and only for itself: as long as that index held the office in
-- a column of its own, PostgreSQL read the whole of it to find the few placements of an office, at any size.
ALTER TABLE placements DROP CONSTRAINT placements_overlap;
ALTER TABLE placements ADD CONSTRAINT placements_overlap EXCLUDE USING gist (
    (provider_id::text || office_id::text) WITH =, daterange(effective_from, effective_until) WITH &&
);
