"""Every SQL statement of referrals: rows in, nouns out."""
