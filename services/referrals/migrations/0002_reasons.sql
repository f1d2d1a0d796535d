-- The coded reasons the product starts with.
INSERT INTO reasons (kind, code, text, valid_from) VALUES
    ('DECLINE', 'WRONG_SPECIALTY', 'Wrong specialty', '2000-01-01'),
    ('DECLINE', 'WRONG_OFFICE', 'Wrong office', '2000-01-01'),
    ('DECLINE', 'AGE', 'Patient''s age not served', '2000-01-01'),
    ('DECLINE', 'PRIORITY_INAPPROPRIATE', 'Priority inappropriate', '2000-01-01'),
    ('DECLINE', 'INFORMATION_REQUIRED', 'Further information required', '2000-01-01'),
    ('DECLINE', 'PLAN_NOT_ACCEPTED', 'Plan not accepted', '2000-01-01'),
    ('DECLINE', 'NO_CAPACITY', 'No capacity', '2000-01-01'),
    ('CANCEL', 'NO_LONGER_REQUIRED', 'No longer required', '2000-01-01'),
    ('CANCEL', 'RAISED_IN_ERROR', 'Raised in error', '2000-01-01'),
    ('CANCEL', 'BOOKED_ELSEWHERE', 'Booked elsewhere', '2000-01-01'),
    ('CANCEL', 'PATIENT_DIED', 'Patient died', '2000-01-01'),
    ('CANCEL', 'PATIENT_DECLINES', 'Patient declines', '2000-01-01'),
    ('NO_SHOW', 'FORGOT', 'Forgot', '2000-01-01'),
    ('NO_SHOW', 'ILL', 'Ill', '2000-01-01'),
    ('NO_SHOW', 'CANCELLED_TOO_LATE', 'Cancelled too late', '2000-01-01'),
    ('NO_SHOW', 'ARRIVED_TOO_LATE', 'Arrived too late', '2000-01-01'),
    ('NO_SHOW', 'UNKNOWN', 'Not known', '2000-01-01');
