-- When these facts were heard, and when the transactions that applied them were committed.
SELECT event_id, heard_at AS heard, pg_xact_commit_timestamp(xmin) AS applied
FROM inbox WHERE event_id = ANY($1::uuid[])
