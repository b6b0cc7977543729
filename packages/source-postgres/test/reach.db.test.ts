import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type PostgresServer, startPostgres, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkRequest, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  server = await startPostgres({ databases: ['here', 'far'] });
  folder = await temporaryFolder('fjord-file-fdw');
  const file = path.join(folder.path, 'numbers.csv');
  writeFileSync(file, '1,one\n2,two\n', { mode: 0o644 });
  await server.query("CREATE TABLE goods AS SELECT n AS id, 'g' || n AS name FROM generate_series(1, 50) n", [], 'far');
  await server.query('CREATE TABLE older AS SELECT n AS id, 0 AS year FROM generate_series(1, 30) n', [], 'far');
  const { host, port, user, password } = server;
  await server.query(`
    CREATE TABLE base (id int PRIMARY KEY, name text, big text);
    INSERT INTO base SELECT n, 'n' || n, repeat(md5(n::text), 400) FROM generate_series(1, 2000) n;
    CREATE VIEW seen AS SELECT id, upper(name) AS name FROM base WHERE id <= 700;
    CREATE MATERIALIZED VIEW kept AS SELECT id, name FROM base;
    CREATE MATERIALIZED VIEW unfilled AS SELECT id FROM base WITH NO DATA;
    CREATE TABLE keyless AS SELECT n % 10 AS id FROM generate_series(1, 1000) n;
    CREATE TABLE parent (id int); CREATE TABLE child (more int) INHERITS (parent);
    INSERT INTO parent SELECT generate_series(1, 5); INSERT INTO child SELECT n, n FROM generate_series(6, 9) n;
    CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', port '${port}', dbname 'far');
    CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '${user}', password '${password}');
    CREATE FOREIGN TABLE goods (id int, name text) SERVER far;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE numbers (id int, name text) SERVER files OPTIONS (filename '${file}', format 'csv');
    CREATE TABLE sales (id int, year int) PARTITION BY LIST (year);
    CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
    CREATE FOREIGN TABLE sales_0 PARTITION OF sales FOR VALUES IN (0) SERVER far OPTIONS (table_name 'older');
    INSERT INTO sales SELECT n, 1 FROM generate_series(1, 40) n`);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const byText = (rows: Record<string, unknown>[]) => rows.map((row) => JSON.stringify(row)).toSorted();

describe.each(['place', 'key'] as const)('cut by %s', (cutBy) => {
  test.each([
    ['seen', 'view', true],
    ['kept', 'materialized view', cutBy === 'key'],
    ['goods', 'foreign table', cutBy === 'key'],
    ['numbers', 'foreign table', cutBy === 'key'],
    ['sales', 'partitioned table', cutBy === 'key'],
    ['keyless', 'table', cutBy === 'key'],
    ['parent', 'table', cutBy === 'key'],
    ['base', 'table', false],
  ] as const)('%s, a %s, equals the source', async (name, kind, isWhole) => {
    await using database = openDatabase(server);
    const found = (await database.discover()).find((stream) => stream.name === name);
    expect(found?.kind).toBe(kind);
    await using snapshot = await database.holdSnapshot();
    const stream = await selectNamed(database, `public.${name}`);
    const token = cutBy === 'place' ? snapshot.token : undefined;
    const plan = await database.planChunks(stream, planRequest(30_000, { cutBy, snapshot: token }));
    // A view, whose rows nothing tells apart, is one unit anyway.
    if (name !== 'seen' && kind !== 'foreign table') expect(plan.isWhole).toBe(isWhole);
    if (name === 'seen') expect(plan.units).toBe(1);
    if (name === 'base') expect(plan.units).toBeGreaterThan(8);
    const rows: Record<string, unknown>[] = [];
    for (let unit = 0; unit < plan.units; unit++) {
      rows.push(...(await readRows(database, stream, { plan, unit, ...(token && { snapshot: token }) })));
    }
    const only = name === 'parent' ? 'ONLY ' : '';
    expect(byText(rows)).toEqual(byText(await server.query(`SELECT * FROM ${only}${name}`)));
  });
});

test('a materialized view that was never filled is named, with the statement that fills it', async () => {
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.unfilled');
  await expect(database.planChunks(stream, planRequest(1 << 20))).rejects.toMatchObject({
    code: 'unsupported',
    message: 'Materialized view public.unfilled was never filled.',
    help: 'REFRESH MATERIALIZED VIEW public.unfilled;',
  });
});

test('a materialized view that is filled anew is noticed', async () => {
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.kept');
  const plan = await database.planChunks(stream, planRequest(30_000));
  await server.query('REFRESH MATERIALIZED VIEW kept');
  await expect(readRows(database, stream, { plan })).rejects.toMatchObject({ code: 'plan_outdated' });
});

const KEYS: [string, string, string][] = [
  ['uuid', 'id uuid PRIMARY KEY', 'md5(n::text)::uuid'],
  ['text', 'id text PRIMARY KEY', "chr(65 + n % 26) || '''\\' || n"],
  ['timestamptz', 'id timestamptz PRIMARY KEY', "'2024-01-01'::timestamptz + n * interval '1.000001 hour'"],
  ['numeric', 'id numeric PRIMARY KEY', 'n / 7.0'],
  ['float8 with NaN', 'id float8 PRIMARY KEY', "CASE WHEN n = 7 THEN 'NaN'::float8 ELSE n / 7.0 END"],
  ['bytea', 'id bytea PRIMARY KEY', "decode(lpad(to_hex(n), 6, '0'), 'hex')"],
  ['char(n)', 'id char(6) PRIMARY KEY', 'to_hex(n)'],
  ['a domain', 'id even PRIMARY KEY', 'n * 2'],
  ['a unique index', 'id int NOT NULL UNIQUE', 'n'],
];

describe('a key', () => {
  beforeAll(async () => {
    await server.query('CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0)');
  });

  test.each(KEYS)('of type %s cuts a table', async (_, column, value) => {
    await server.query(`
      DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (${column}, pad text);
      INSERT INTO keyed SELECT ${value}, repeat('x', 90) FROM generate_series(1, 3000) n`);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.keyed');
    const plan = await database.planChunks(stream, planRequest(40_000, { cutBy: 'key' }));
    expect(plan).toMatchObject({ isWhole: false });
    expect(plan.units).toBeGreaterThan(5);
    const rows = await readRows(database, stream, { plan });
    expect(rows).toHaveLength(3000);
    const [source] = await server.query<{ ids: string[] }>('SELECT array_agg(id::text ORDER BY id) AS ids FROM keyed');
    expect(new Set(rows.map(({ id }) => String(id))).size).toBe(source?.ids.length);
    // The bounds are keys of the table, in order, and units are about equal.
    const sizes: number[] = [];
    for (let unit = 0; unit < plan.units; unit++) sizes.push((await readRows(database, stream, { plan, unit })).length);
    expect(Math.max(...sizes)).toBeLessThan((4 * 3000) / plan.units);
  });

  test('of several columns, the first of one value only, cuts a table by all of them', async () => {
    await server.query(`
      CREATE TABLE lines (shop int, "Order" text, line int, pad text, PRIMARY KEY (shop, "Order", line));
      INSERT INTO lines SELECT 1, 'o' || n / 7, n % 7, repeat('x', 90) FROM generate_series(1, 4000) n`);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.lines');
    const plan = await database.planChunks(stream, planRequest(40_000, { cutBy: 'key' }));
    expect(plan.units).toBeGreaterThan(8);
    const rows = await readRows(database, stream, { plan });
    expect(byText(rows)).toEqual(byText(await server.query('SELECT * FROM lines')));
    expect(JSON.stringify(plan).length).toBeLessThan(4_000);
  });

  test('keeps rows that move: each is read once though all are updated between the chunks', async () => {
    await server.query(`
      CREATE TABLE wandering (id int PRIMARY KEY, v int, pad text);
      INSERT INTO wandering SELECT n, 0, repeat('x', 90) FROM generate_series(1, 3000) n`);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.wandering');
    const plan = await database.planChunks(stream, planRequest(40_000, { cutBy: 'key' }));
    const ids: number[] = [];
    for (let unit = 0; unit < plan.units; unit++) {
      ids.push(...(await readRows(database, stream, { plan, unit })).map(({ id }) => Number(id)));
      await server.query('UPDATE wandering SET v = v + 1');
    }
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
  });

  test('is none over columns that may be null, or under a condition', async () => {
    await server.query(`
      CREATE TABLE loose (a int, b int NOT NULL, UNIQUE (a)); CREATE UNIQUE INDEX ON loose (b) WHERE b > 0;
      CREATE UNIQUE INDEX ON loose ((b + 1)); INSERT INTO loose SELECT NULL, n FROM generate_series(1, 5000) n`);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.loose');
    expect(await database.planChunks(stream, planRequest(20_000, { cutBy: 'key' }))).toMatchObject({ isWhole: true });
  });
});

describe('statements', () => {
  test.each(['place', 'key'] as const)('are cut into pieces that together are the unit, by %s', async (cutBy) => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.base');
    const plan = await database.planChunks(stream, planRequest(1 << 30, { cutBy }));
    expect(plan.units).toBe(1);
    const rows = await readRows(database, stream, { plan, pieces: 16 });
    expect(byText(rows)).toEqual(byText(await server.query('SELECT * FROM base')));
  });

  test('that take longer than they may are ended by the server, and said', async () => {
    await server.query('CREATE TABLE slow AS SELECT n AS id FROM generate_series(1, 3000000) n');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.slow');
    const plan = await database.planChunks(stream, planRequest(1 << 30));
    const read = readRows(database, stream, { plan, maxStatementSeconds: 0.01 });
    await expect(read).rejects.toMatchObject({ code: 'statement_too_slow', stream: 'public.slow' });
    const whole = await selectNamed(database, 'public.seen');
    const view = await database.planChunks(whole, planRequest(1 << 20));
    // What cannot be cut is let through.
    expect(await readRows(database, whole, { plan: view, maxStatementSeconds: 0.001 })).toHaveLength(700);
  });

  test('take no lock but ACCESS SHARE', async () => {
    await using database = openDatabase(server);
    const modes = new Set<string>();
    for (const name of ['base', 'seen', 'kept', 'sales', 'goods']) {
      const stream = await selectNamed(database, `public.${name}`);
      const plan = await database.planChunks(stream, planRequest(30_000));
      const chunk = { ...chunkRequest(stream, plan), batchBytes: 1 << 16 };
      for await (const _ of database.readChunk(chunk)) {
        const locks = await server.query<{ mode: string }>(`
          SELECT DISTINCT l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE a.application_name = 'fjord' AND l.locktype = 'relation'`);
        for (const { mode } of locks) modes.add(mode);
      }
    }
    expect([...modes]).toEqual(['AccessShareLock']);
  });
});

test('a chunk may end at any mark, and the connection goes on', async () => {
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.base');
  const plan = await database.planChunks(stream, planRequest(30_000));
  const pid = async () => {
    const rows = await server.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'fjord' AND state = 'idle'",
    );
    return rows.map((row) => row.pid);
  };
  const before = await pid();
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if ('reached' in item) break;
  }
  expect(await pid()).toEqual(before);
  expect(await readRows(database, stream, { plan })).toHaveLength(2000);
});

test('a connection that breaks at a mark is noticed', async () => {
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.base');
  const plan = await database.planChunks(stream, planRequest(30_000));
  const read = async () => {
    for await (const item of database.readChunk(chunkRequest(stream, plan))) {
      if (!('reached' in item) || item.reached !== 2) continue;
      await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fjord'");
      await setImmediate();
      await server.query('SELECT 1');
    }
  };
  await expect(read()).rejects.toMatchObject({ code: 'source_connection_lost' });
});

test('the load of the server is measured', async () => {
  await using database = openDatabase(server);
  await server.query("DROP ROLE IF EXISTS narrow; CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 4");
  expect(await database.measureLoad()).toMatchObject({ activeSessions: 0, replicaLagSeconds: undefined });
  await using narrow = openDatabase(server, { user: 'narrow', password: 'narrow' });
  expect((await narrow.measureLoad()).freeConnections).toBe(3);
});
