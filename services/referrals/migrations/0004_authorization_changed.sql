-- What the payer says of a visit changes while a referral is under way.
ALTER TYPE happened ADD VALUE 'AUTHORIZATION_CHANGED' BEFORE 'CANCELLED';
