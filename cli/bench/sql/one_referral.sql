-- One that was sent by the public door, for others to be made like it.
SELECT * FROM referrals LIMIT 1
