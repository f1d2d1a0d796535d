-- The second wall: which rows a transaction may see. kit.db tells at the start of each transaction on whose behalf it works:
-- suite.scope = 'suite' for our own services, suite.organization = an organization for its people. Both end with the transaction.
-- Whoever tells nothing sees nothing. Plain SQL, so that the planner takes it into the query; no rights of its owner.

CREATE FUNCTION in_scope(organization_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    current_setting('suite.scope', true) = 'suite'
        OR organization_id = nullif(current_setting('suite.organization', true), '')::uuid,
    false
);
