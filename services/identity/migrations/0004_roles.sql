-- Two more things a user may be: a client admin who only looks, and the person a provider's record is about. A new value cannot be
-- used in the transaction that makes it, so what is said about them stands in the next file.
ALTER TYPE role ADD VALUE 'REPORTING_ONLY';
ALTER TYPE role ADD VALUE 'PROVIDER';
