-- Providers who were placed at another office because theirs closes, as directory told it (R19). What was accepted at the old
-- address says nothing of the new one: until something is listed there, it waits for somebody to look at it.
CREATE TABLE moves (
    placement_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    from_office_id uuid NOT NULL,
    to_office_id uuid NOT NULL,
    effective_from date NOT NULL
);
CREATE INDEX moves_of ON moves (organization_id, placement_id);
ALTER TABLE moves ENABLE ROW LEVEL SECURITY;
ALTER TABLE moves FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON moves USING (in_scope(organization_id));
