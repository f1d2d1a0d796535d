-- When an answer was given by the database's own time, which development does not move: retries are a matter of networks. It is
-- forgotten 30 days later; those that were there before this file count from now.
ALTER TABLE idempotency ADD COLUMN answered_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE INDEX idempotency_answered ON idempotency (answered_at);
