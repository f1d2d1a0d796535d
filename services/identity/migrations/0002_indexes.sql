-- What the housekeeping and support's list look for, whatever else there is.
CREATE INDEX letters_sealed ON letters (user_id) WHERE sealed IS NOT NULL;
CREATE INDEX organizations_name ON organizations (lower(name), id);
