-- What is granted now: not ended, and not past its own end, be it that no job has noticed yet.
CREATE VIEW live_grants WITH (security_invoker = true) AS
SELECT id, membership_id, role, office_id, provider_id, granted_at, expires_at
FROM grants WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > suite_now());
