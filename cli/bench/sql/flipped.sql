-- What is listed of that placement.
SELECT l.accepting_new_patients FROM listings l JOIN placements p USING (provider_id, office_id) WHERE p.id = $1 LIMIT 1
