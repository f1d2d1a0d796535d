-- The ids of a page, by one index and nothing else: what the page cannot be cheaper than.
SELECT id FROM referrals
WHERE receiving_organization_id = $1 AND receiving_office_id = $2 AND status = 'PENDING'
ORDER BY id DESC LIMIT 50
