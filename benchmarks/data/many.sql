-- many: small tables many_1, many_2, … of 100 rows each, and the table many with a row for each of them, made last.
-- psql -v tables=1000 -f many.sql
\set ON_ERROR_STOP on
DO $do$
DECLARE t int;
BEGIN
  FOR t IN 1..:tables::int LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS many_%s (id bigint PRIMARY KEY, name text, amount numeric(12,2), at timestamptz)', t);
    EXECUTE format('TRUNCATE many_%1$s; INSERT INTO many_%1$s SELECT n, ''name '' || n, n / 7.0, ''2026-01-01''::timestamptz + n * interval ''1 min'' FROM generate_series(1, 100) AS n', t);
    IF t % 200 = 0 THEN COMMIT; END IF;
  END LOOP;
END $do$;
DROP TABLE IF EXISTS many;
CREATE TABLE many AS SELECT t AS id FROM generate_series(1, :tables::int) AS t;
VACUUM (ANALYZE);
CHECKPOINT;
