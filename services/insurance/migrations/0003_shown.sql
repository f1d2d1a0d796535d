-- Providers that were approved and offices that went live, as directory told it: what is recorded of others is the business of
-- their own organization alone.
CREATE TABLE shown (
    id uuid PRIMARY KEY
);
