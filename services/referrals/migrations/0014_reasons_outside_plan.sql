-- Why something is sent to a receiver that is not listed for the patient's plan; used from the next migration on.
ALTER TYPE reason_kind ADD VALUE 'OUTSIDE_PLAN';
