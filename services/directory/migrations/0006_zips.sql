-- Where postal codes are: the middle of each, imported from a table of the census. It belongs to the whole network.
CREATE TABLE zips (
    postal_code text PRIMARY KEY CHECK (postal_code ~ '^[0-9]{5}$'),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    city text NOT NULL DEFAULT '' CHECK (char_length(city) <= 100),
    region text NOT NULL DEFAULT '' CHECK (region ~ '^([A-Z]{2})?$')
);

-- How an office came to its point: somebody gave it, or it is the middle of its postal code. Neither: only its city is known.
CREATE TYPE office_located AS ENUM ('GIVEN', 'POSTAL_CODE');
ALTER TABLE offices
    ALTER COLUMN latitude DROP NOT NULL,
    ALTER COLUMN longitude DROP NOT NULL,
    ADD COLUMN located_by office_located;
UPDATE offices SET located_by = 'GIVEN';
ALTER TABLE offices
    ADD CHECK ((latitude IS NULL) = (longitude IS NULL)),
    ADD CHECK ((latitude IS NULL) = (located_by IS NULL));
CREATE INDEX offices_to_locate ON offices (left(postal_code, 5)) WHERE located_by IS DISTINCT FROM 'GIVEN';
