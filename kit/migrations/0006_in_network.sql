-- Whether the transaction works for somebody who is signed in, of whatever organization, or for the suite itself: what the
-- network shows to everybody in it is shown to them, and to nobody else.

CREATE FUNCTION in_network() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('suite.scope', true) IN ('network', 'suite'), false);

-- Answers to retries are an organization's own. The other tables of the kit have no wall: a fact of one organization is told in
-- a transaction of another, no query of a person reads them, and the relay and the consumer go through all of them.
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON idempotency USING (in_scope(organization_id));
