-- A sent referral was handed over to another sender of its organization.
ALTER TYPE referral_verb ADD VALUE 'SENDER_CHANGED';

-- What was published lately is looked up every minute, whatever was published before.
CREATE INDEX published_reports_week ON published_reports (organization_id, week_of);
