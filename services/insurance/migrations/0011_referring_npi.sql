-- A payer may want to know which provider referred: by the NPI of a person, not by that of an organization (R22).
ALTER TABLE payers ADD COLUMN needs_referring_npi boolean NOT NULL DEFAULT false;
