-- A sender hands a referral over to another sender of its organization.
ALTER TYPE happened ADD VALUE 'SENDER_CHANGED' BEFORE 'CANCELLED';
