-- wide: 200 mixed columns. Deterministic (hash of the id, no random()). Columns differ by a rotation of the same hash.
-- psql -v n=1000000 -f wide.sql
\set ON_ERROR_STOP on
DROP TABLE IF EXISTS wide;
DO $do$
DECLARE definitions text := 'id bigint PRIMARY KEY'; selected text := 'i'; i int;
BEGIN
  FOR i IN 1..199 LOOP
    definitions := definitions || format(', c%s %s', i, (ARRAY['bigint', 'int', 'numeric(12,2)', 'double precision', 'timestamptz', 'boolean', 'text', 'date', 'smallint', 'text'])[1 + i % 10]);
    selected := selected || ', ' || format(
      (ARRAY['h >> (%s %% 40)', '((h >> (%s %% 30)) %% 1000000)::int', '((h >> (%s %% 20)) %% 100000000) / 100.0', '(h >> (%s %% 40)) / 7.0::float8',
             '''2020-01-01''::timestamptz + (h >> (%s %% 30)) %% 100000000 * interval ''1 s''', '(h >> (%s %% 40)) & 1 = 1',
             'substr(''abcdefghijklmnopqrstuvwxyz'', 1 + ((h >> (%s %% 40)) %% 20)::int, 6)', 'date ''2000-01-01'' + ((h >> (%s %% 40)) %% 9000)::int',
             '((h >> (%s %% 40)) %% 1000)::smallint', '''k'' || (h >> (%s %% 40)) %% 1000'])[1 + i % 10], i);
  END LOOP;
  EXECUTE 'CREATE TABLE wide (' || definitions || ')';
  EXECUTE 'INSERT INTO wide SELECT ' || selected || ' FROM (SELECT i, hashint8extended(i, 7) & 9223372036854775807 AS h FROM generate_series(1, :n::bigint) AS g(i)) AS s';
END $do$;
VACUUM (ANALYZE, FREEZE) wide;
CHECKPOINT;
