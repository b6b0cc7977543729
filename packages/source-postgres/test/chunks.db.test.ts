import { ConnectorError } from '@fjord/core';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkRequest, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const ids = (rows: Record<string, unknown>[]) => rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('reading all chunks', () => {
  beforeAll(async () => {
    await server.query(`
      CREATE TABLE wide (id int PRIMARY KEY, filler text);
      INSERT INTO wide SELECT n, repeat('x', n % 900) FROM generate_series(1, 5000) AS n;
      DELETE FROM wide WHERE id > 4000`);
  });

  test.each([9_000, 20_000, 65_536, 300_000, 100_000_000])(
    'gives every row once with chunks of %i bytes',
    async (bytes) => {
      await using database = openDatabase(server);
      const stream = await selectNamed(database, 'public.wide');
      const plan = await database.planChunks(stream, planRequest(bytes));
      expect(ids(await readRows(database, stream, { plan }))).toEqual(upTo(4000));
    },
  );

  test('cuts the same chunks again in another process, from the plan alone', async () => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.wide');
    const plan = await database.planChunks(stream, planRequest(65_536));
    const first = await readRows(database, stream, { plan, unit: 3 });
    await using later = openDatabase(server);
    const copy = structuredClone(plan);
    expect(await readRows(later, stream, { plan: copy, unit: 3 })).toEqual(first);
    expect(await later.planChunks(stream, planRequest(65_536))).toEqual(plan);
  });

  test('gives the snapshot though rows change, move and go meanwhile', async () => {
    await server.query(`
      CREATE TABLE moving (id int PRIMARY KEY, v int);
      INSERT INTO moving SELECT n, 0 FROM generate_series(1, 3000) AS n`);
    await using database = openDatabase(server);
    await using snapshot = await database.holdSnapshot();
    const stream = await selectNamed(database, 'public.moving');
    const plan = await database.planChunks(stream, planRequest(20_000, { snapshot: snapshot.token }));
    expect(plan.units).toBeGreaterThan(3);
    const rows: Record<string, unknown>[] = [];
    for (let unit = 0; unit < plan.units; unit++) {
      await server.query(`
        UPDATE moving SET v = v + 1 WHERE id % 3 = 0;
        DELETE FROM moving WHERE id % 50 = ${unit};
        INSERT INTO moving SELECT ${10_000 * (unit + 1)} + n, 9 FROM generate_series(1, 500) AS n`);
      rows.push(...(await readRows(database, stream, { plan, unit, snapshot: snapshot.token })));
    }
    expect(ids(rows)).toEqual(upTo(3000));
    expect(new Set(rows.map(({ v }) => v))).toEqual(new Set([0]));
  });

  test('gives rows that were appended after the plan when no snapshot is held', async () => {
    await server.query('CREATE TABLE growing AS SELECT n AS id FROM generate_series(1, 2000) AS n');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.growing');
    const plan = await database.planChunks(stream, planRequest(20_000));
    await server.query('INSERT INTO growing SELECT n FROM generate_series(2001, 9000) AS n');
    expect(ids(await readRows(database, stream, { plan }))).toEqual(upTo(9000));
  });

  test('gives nothing, in one chunk, for an empty table', async () => {
    await server.query('CREATE TABLE empty (id int)');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.empty');
    const plan = await database.planChunks(stream, planRequest(1 << 20));
    expect(plan.units).toBe(1);
    expect(await readRows(database, stream, { plan })).toEqual([]);
  });

  test('gives all of 1,600 columns', async () => {
    const columns = upTo(1600).map((n) => `c${n} int NOT NULL DEFAULT ${n}`);
    await server.query(`CREATE TABLE very_wide (${columns.join(', ')}); INSERT INTO very_wide DEFAULT VALUES`);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.very_wide');
    const plan = await database.planChunks(stream, planRequest(1 << 20));
    const [row] = await readRows(database, stream, { plan });
    expect(row).toEqual(Object.fromEntries(upTo(1600).map((n) => [`c${n}`, n])));
  });
});

describe('partitions', () => {
  beforeAll(async () => {
    await server.query(`
      CREATE TABLE parted (id int, day int) PARTITION BY LIST (day);
      CREATE TABLE parted_big PARTITION OF parted FOR VALUES IN (0);
      CREATE TABLE parted_sub PARTITION OF parted FOR VALUES IN (1, 2) PARTITION BY LIST (day);
      CREATE TABLE parted_sub_1 PARTITION OF parted_sub FOR VALUES IN (1);
      CREATE TABLE parted_sub_2 (day int, note text, id int);
      ALTER TABLE parted_sub_2 DROP COLUMN note;
      ALTER TABLE parted_sub ATTACH PARTITION parted_sub_2 FOR VALUES IN (2);
      INSERT INTO parted SELECT n, CASE WHEN n <= 5000 THEN 0 ELSE 1 + n % 2 END FROM generate_series(1, 5010) AS n`);
  });

  test('share a chunk when small and are split when large', async () => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.parted');
    const one = await database.planChunks(stream, planRequest(10 << 20));
    expect(one.units).toBe(1);
    expect(ids(await readRows(database, stream, { plan: one }))).toEqual(upTo(5010));
    const many = await database.planChunks(stream, planRequest(50_000));
    expect(many.units).toBe(6);
    expect(ids(await readRows(database, stream, { plan: many }))).toEqual(upTo(5010));
  });

  test('that are attached after the plan make it outdated', async () => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'public.parted');
    const plan = await database.planChunks(stream, planRequest(10 << 20));
    await server.query('CREATE TABLE parted_new PARTITION OF parted FOR VALUES IN (7)');
    await expect(readRows(database, stream, { plan })).rejects.toMatchObject({ code: 'plan_outdated' });
    await server.query('DROP TABLE parted_new');
    expect(ids(await readRows(database, stream, { plan }))).toEqual(upTo(5010));
  });
});

const REWRITES: [string, string][] = [
  ['VACUUM FULL', 'VACUUM FULL t'],
  ['TRUNCATE', 'TRUNCATE t'],
  ['a new type with a rewrite', 'ALTER TABLE t ALTER COLUMN v TYPE bigint'],
  ['a new type without a rewrite', 'ALTER TABLE t ALTER COLUMN s TYPE varchar(60)'],
  ['a new precision', 'ALTER TABLE t ALTER COLUMN n TYPE numeric(12, 2)'],
];

describe.each(['snapshot', 'chunk'] as const)('in %s consistency', (consistency) => {
  test.each(REWRITES)('%s after the plan is noticed', async (_, statement) => {
    await server.query(`
      DROP TABLE IF EXISTS t, old;
      CREATE TABLE t AS SELECT n AS id, n AS v, 'x'::varchar(40) AS s, 1.5::numeric(10, 2) AS n FROM generate_series(1, 1000) AS n`);
    await using database = openDatabase(server);
    await using snapshot = await database.holdSnapshot();
    const token = consistency === 'snapshot' ? snapshot.token : undefined;
    const stream = await selectNamed(database, 'public.t');
    const plan = await database.planChunks(stream, planRequest(20_000, { snapshot: token }));
    const read = readRows(database, stream, { plan, unit: 0, ...(token !== undefined && { snapshot: token }) });
    expect(await read).not.toEqual([]);
    await server.query(statement);
    const next = readRows(database, stream, { plan, unit: 1, ...(token !== undefined && { snapshot: token }) });
    const error = await next.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ code: 'plan_outdated', stream: 'public.t' });
  });
});

test('another table under the name is noticed, or in a snapshot the planned one is read on', async () => {
  await server.query('DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT n AS id FROM generate_series(1, 10) AS n');
  await using database = openDatabase(server);
  await using snapshot = await database.holdSnapshot();
  const stream = await selectNamed(database, 'public.t');
  const plan = await database.planChunks(stream, planRequest(20_000, { snapshot: snapshot.token }));
  await server.query('ALTER TABLE t RENAME TO old; CREATE TABLE t AS TABLE old');
  expect(ids(await readRows(database, stream, { plan, snapshot: snapshot.token }))).toEqual(upTo(10));
  await expect(readRows(database, stream, { plan })).rejects.toMatchObject({ code: 'plan_outdated' });
  await server.query('DROP TABLE old');
});

test.each(['TRUNCATE t', 'ALTER TABLE t ALTER COLUMN v TYPE bigint'])(
  'planning in a snapshot from before "%s" is refused, for the table looks empty there',
  async (statement) => {
    await server.query(
      'DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT n AS id, n AS v FROM generate_series(1, 10) AS n',
    );
    await using database = openDatabase(server);
    await using snapshot = await database.holdSnapshot();
    const stream = await selectNamed(database, 'public.t');
    await server.query(statement);
    const plan = database.planChunks(stream, planRequest(20_000, { snapshot: snapshot.token }));
    await expect(plan).rejects.toMatchObject({ code: 'plan_outdated' });
  },
);

test('a dropped column is named', async () => {
  await server.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, "my ""col" int)');
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.t');
  await server.query('ALTER TABLE t DROP COLUMN "my ""col"');
  await expect(database.planChunks(stream, planRequest(20_000))).rejects.toMatchObject({
    code: 'source_object_missing',
    message: 'Table public.t has no column "my "col".',
  });
});

test('the condition on ctid reads only the pages of its range', async () => {
  await server.query('CREATE TABLE ranged AS SELECT n AS id FROM generate_series(1, 20000) AS n');
  const plan = await server.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT id FROM ONLY ranged WHERE ctid >= '(10,0)'::pg_catalog.tid AND ctid < '(60,0)'::pg_catalog.tid`,
  );
  expect(plan[0]?.['QUERY PLAN']).toMatch(/^Tid Range Scan on ranged/);
});

test('a snapshot tells when it is lost, and not when it is disposed', async () => {
  await using database = openDatabase(server);
  const kept = await database.holdSnapshot();
  await kept[Symbol.asyncDispose]();
  await using snapshot = await database.holdSnapshot();
  await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fjord'`);
  expect(await snapshot.lost).toMatchObject({ code: 'source_connection_lost' });
  expect(await Promise.race([kept.lost, Promise.resolve('still waiting')])).toBe('still waiting');
  await server.query('CREATE TABLE IF NOT EXISTS empty (id int)');
  const stream = await selectNamed(database, 'public.empty');
  const plan = database.planChunks(stream, planRequest(20_000, { snapshot: snapshot.token }));
  await expect(plan).rejects.toMatchObject({ code: 'snapshot_lost' });
});

test('an aborted read ends at once and the next one connects anew', async () => {
  await using database = openDatabase(server);
  await server.query(
    `CREATE TABLE IF NOT EXISTS big AS SELECT n AS id, repeat('y', 500) AS s FROM generate_series(1, 50000) AS n`,
  );
  const stream = await selectNamed(database, 'public.big');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const abort = new AbortController();
  const read = async () => {
    const request = { ...chunkRequest(stream, plan), batchBytes: 1 << 16, signal: abort.signal };
    for await (const item of database.readChunk(request)) {
      expect(item).toMatchObject({ rows: expect.any(Number) });
      abort.abort(new Error('stop'));
    }
  };
  await expect(read()).rejects.toThrow('stop');
  expect(await readRows(database, stream, { plan })).toHaveLength(50_000);
});
