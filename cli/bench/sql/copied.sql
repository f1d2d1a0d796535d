-- The baseline of an import: a table of 330 text columns, empty.
DROP TABLE IF EXISTS bench_copied;
DO $$ BEGIN
    EXECUTE 'CREATE TABLE bench_copied (' || (SELECT string_agg('c' || n || ' text', ', ') FROM generate_series(0, 329) AS n) || ')';
END $$
