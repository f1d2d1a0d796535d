-- Where somebody practises, and what: drawn from all that are listed, so that questions come from where people are.
SELECT latitude, longitude, code FROM listings TABLESAMPLE SYSTEM (5) REPEATABLE (7) ORDER BY md5(receiver_id::text) LIMIT 300
