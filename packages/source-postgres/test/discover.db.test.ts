import { formatColumnType, type Stream } from '@fjord/core';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ databases: ['shop', 'many'] });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A stream's columns, one a line: name, type, `?` where nullable, the database's own type. */
const describeColumns = (stream: Stream | undefined) =>
  stream?.columns.map(
    ({ name, type, nullable, sourceType }) => `${name} ${formatColumnType(type)}${nullable ? '?' : ''} (${sourceType})`,
  );

async function discover(changes: Parameters<typeof openDatabase>[1] = {}): Promise<Map<string, Stream>> {
  await using database = openDatabase(server, changes);
  return new Map((await database.discover()).map((stream) => [stream.stream, stream]));
}

describe('discovering', () => {
  beforeAll(async () => {
    await server.query(`
      CREATE SCHEMA "My.Schema";
      CREATE SCHEMA hidden;
      CREATE TYPE mood AS ENUM ('sad', 'happy');
      CREATE TYPE point_3d AS (x float8, y float8, z float8);
      CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE >= 0);
      CREATE DOMAIN dear_price AS price;
      CREATE TABLE kinds (
        id bigint PRIMARY KEY, gone int, mood mood NOT NULL, price price, dear dear_price, moods mood[], prices price[],
        place point_3d, places point_3d[], spans tstzrange, free numeric NOT NULL, amount numeric(12, 2) NOT NULL, at timestamptz NOT NULL,
        doubled bigint GENERATED ALWAYS AS (id * 2) STORED, vector int2vector
      );
      ALTER TABLE kinds DROP COLUMN gone;
      COMMENT ON TABLE kinds IS 'All kinds.';
      COMMENT ON COLUMN kinds.mood IS 'How it felt.';
      CREATE TABLE "My.Schema"."Tä""ble 🧊.x" ("A" int, "b.c" int, "d""e" text, "🐳" int, PRIMARY KEY ("🐳", "A") INCLUDE ("b.c"));
      CREATE TABLE events (at timestamptz, id int NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (id);
      CREATE TABLE events_2025_a PARTITION OF events_2025 FOR VALUES FROM (0) TO (1000);
      CREATE TABLE events_2025_b PARTITION OF events_2025 FOR VALUES FROM (1000) TO (100000);
      INSERT INTO events SELECT '2025-03-01', n FROM generate_series(1, 3000) AS n;
      ANALYZE events;
      CREATE TABLE keyless (id int UNIQUE NOT NULL);
      CREATE TABLE never_analyzed (id int, at timestamptz) WITH (autovacuum_enabled = false);
      INSERT INTO never_analyzed SELECT n, now() FROM generate_series(1, 10000) AS n;
      CREATE TABLE parent (id int); CREATE TABLE child (more int) INHERITS (parent);
      CREATE TEMP TABLE passing (id int);
      CREATE VIEW seen AS SELECT 1 AS one;
      CREATE TABLE hidden.secret (id int);
      CREATE TABLE not_mine (id int);
      CREATE ROLE reader LOGIN PASSWORD 'reader';
      GRANT SELECT ON ALL TABLES IN SCHEMA public, "My.Schema", hidden TO reader;
      GRANT USAGE ON SCHEMA "My.Schema" TO reader;
      REVOKE SELECT ON not_mine FROM reader;
      CREATE TABLE public.a (id int); GRANT SELECT (id) ON public.a TO reader;
      CREATE TABLE public."B" (id int); GRANT SELECT ON public."B" TO reader`);
  });

  test('finds the tables in a fixed order, those that the user may not read marked with the grant they lack', async () => {
    const streams = await discover({ user: 'reader', password: 'reader' });
    const unreadable = [...streams.values()].filter((stream) => stream.unreadable);
    expect(unreadable.map(({ stream, unreadable: fault }) => [stream, fault?.fix])).toEqual([
      ['hidden.secret', 'GRANT USAGE ON SCHEMA "hidden" TO "reader";'],
      ['public.a', 'GRANT SELECT ON TABLE "public"."a" TO "reader";'],
      ['public.not_mine', 'GRANT SELECT ON TABLE "public"."not_mine" TO "reader";'],
    ]);
    expect([...streams.values()].filter((stream) => !stream.unreadable).map(({ stream }) => stream)).toEqual([
      '"My.Schema"."Tä""ble 🧊.x"',
      'public.B',
      'public.child',
      'public.events',
      'public.keyless',
      'public.kinds',
      'public.never_analyzed',
      'public.parent',
      'public.seen',
    ]);
    for (const { kind, syncModes } of streams.values()) {
      const isLogged = kind === 'table' || kind === 'partitioned table';
      expect(syncModes).toEqual(['full', 'incremental', ...(isLogged ? ['changes'] : [])]);
    }
  });

  test('keeps to the named schemas', async () => {
    const streams = await discover({ schemas: ['hidden', 'My.Schema'] });
    expect([...streams.keys()]).toEqual(['"My.Schema"."Tä""ble 🧊.x"', 'hidden.secret']);
  });

  test('gives columns in order with their types, and makes room for null where a value may not fit', async () => {
    const kinds = (await discover()).get('public.kinds');
    expect(describeColumns(kinds)).toEqual([
      'id long (bigint)',
      'mood string (public.mood)',
      'price decimal(10,2)? (public.price)',
      'dear decimal(10,2)? (public.dear_price)',
      'moods list<string>? (public.mood[])',
      'prices list<decimal(10,2)>? (public.price[])',
      'place struct<x: double, y: double, z: double>? (public.point_3d)',
      'places list<struct<x: double, y: double, z: double>>? (public.point_3d[])',
      'spans string? (tstzrange)',
      'free string (numeric)',
      'amount decimal(12,2)? (numeric(12,2))',
      'at timestamptz? (timestamp with time zone)',
      'doubled long? (bigint)',
      'vector list<int>? (int2vector)',
    ]);
    expect(kinds?.doc).toBe('All kinds.');
    expect(kinds?.columns[1]?.doc).toBe('How it felt.');
  });

  test('keeps columns required when an unfit value fails the stream', async () => {
    const kinds = (await discover({ unrepresentable: 'fail' })).get('public.kinds');
    expect(kinds?.columns.filter(({ nullable }) => !nullable).map(({ name }) => name)).toEqual([
      'id',
      'mood',
      'free',
      'amount',
      'at',
    ]);
  });

  test('gives odd names as they are, and the key in its order', async () => {
    const odd = (await discover()).get('"My.Schema"."Tä""ble 🧊.x"');
    expect(odd).toMatchObject({ namespace: 'My.Schema', name: 'Tä"ble 🧊.x', primaryKey: ['🐳', 'A'] });
    expect(describeColumns(odd)).toEqual([
      'A int (integer)',
      'b.c int? (integer)',
      'd"e string? (text)',
      '🐳 int (integer)',
    ]);
  });

  test('gives a partitioned table as one stream with the sizes of its leaves', async () => {
    const events = (await discover()).get('public.events');
    expect(events).toMatchObject({ kind: 'partitioned table', primaryKey: ['id', 'at'], estimatedRows: 3000 });
    expect(events?.partitioning).toEqual({ strategy: 'range', columns: ['at'], parts: 1, width: 365 });
    expect(describeColumns(events)).toEqual(['at timestamptz (timestamp with time zone)', 'id int (integer)']);
    const [size] = await server.query<{ bytes: number }>(
      `SELECT (pg_relation_size('events_2025_a') + pg_relation_size('events_2025_b'))::float8 AS bytes`,
    );
    expect(events?.estimatedBytes).toBe(size?.bytes);
  });

  test('takes no unique index for a key', async () => {
    expect((await discover()).get('public.keyless')?.primaryKey).toEqual([]);
  });

  test('estimates a table that was never analyzed from its file', async () => {
    const { estimatedRows = 0, estimatedBytes } = (await discover()).get('public.never_analyzed') ?? {};
    expect(estimatedBytes).toBe(55 * 8192);
    expect(estimatedRows).toBeGreaterThan(8_000);
    expect(estimatedRows).toBeLessThan(13_000);
  });
});

test('a not-null constraint that was not validated leaves the column nullable', async () => {
  const [{ version } = { version: 0 }] = await server.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int4 AS version`,
  );
  const constraint =
    version >= 180_000 ? 'ADD CONSTRAINT n NOT NULL id NOT VALID' : 'ADD CHECK (id IS NOT NULL) NOT VALID';
  await server.query(`CREATE TABLE later_not_null (id int); ALTER TABLE later_not_null ${constraint}`);
  expect(describeColumns((await discover()).get('public.later_not_null'))).toEqual(['id int? (integer)']);
});

test('10,000 tables take seconds', async () => {
  await server.query(
    `DO $$ BEGIN FOR n IN 1..10000 LOOP
       EXECUTE format('CREATE TABLE t%s (id bigint, a int, b text, c timestamptz)', n);
       IF n % 500 = 0 THEN COMMIT; END IF;
     END LOOP; END $$`,
    [],
    'many',
  );
  const begun = performance.now();
  const streams = await discover({ database: 'many' });
  expect(streams.size).toBe(10_000);
  await using database = openDatabase(server, { database: 'many' });
  expect(await database.findProblems()).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(10_000);
});
