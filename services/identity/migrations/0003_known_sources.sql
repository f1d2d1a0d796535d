-- From where each account was signed in to lately: a keyed hash of account and source, forgotten after 90 days. Such a source
-- has a pace of its own in sign_in_attempts; all others share one there for each account, so that many sources are worth no more
-- guesses than one, and an attack from them does not keep the account's user out.
CREATE TABLE known_sources (
    source bytea PRIMARY KEY CHECK (octet_length(source) = 32),
    last_at timestamptz NOT NULL
);
CREATE INDEX known_sources_last ON known_sources (last_at);
