-- When the transactions that recorded these facts were committed, and when the relay had told them. The outbox row itself is
-- written again by the relay; the sequence's row is the change's own as long as the aggregate has no later fact.
SELECT o.event_id, pg_xact_commit_timestamp(s.xmin) AS committed, o.sent_at AS told
FROM outbox AS o JOIN outbox_sequences AS s USING (organization_id, aggregate, aggregate_id)
WHERE o.event_id = ANY($1::uuid[]) AND s.last = o.sequence
