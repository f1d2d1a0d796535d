-- The baseline: the receivers of one specialty in one square of the map, by their index.
SELECT receiver_id, latitude, longitude FROM listings WHERE code = $1 AND cell = $2 LIMIT 20
