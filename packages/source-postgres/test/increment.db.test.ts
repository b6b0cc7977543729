import type { Incremental, SelectedStream } from '@fjord/core';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PostgresDatabase } from '../src/database.ts';
import { openDatabase, planRequest, readAll, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  await server.query(`
    DROP TABLE IF EXISTS t CASCADE;
    CREATE TABLE t (id int, c int, at timestamptz, made timestamptz, pad text)`);
});

type Options = { since?: Found; stream?: string; held?: boolean; changes?: Partial<SelectedStream> };
type Found = { ids: number[]; boundary: unknown; units: number };

/** Reads an increment after `since` (all rows without it), in a snapshot of its own or in one transaction. */
async function increment(
  database: PostgresDatabase,
  incremental: Incremental,
  { since, stream: name = 't', held = true, changes }: Options = {},
): Promise<Found> {
  const stream: SelectedStream = { ...(await selectNamed(database, `public.${name}`)), incremental, ...changes };
  await using snapshot = held ? await database.holdSnapshot() : undefined;
  const token = snapshot === undefined ? {} : { snapshot: snapshot.token };
  const from = since && { since: since.boundary };
  const plan = await database.planChunks(stream, planRequest(20_000, { ...token, ...from }));
  const { rows, boundary } = await readAll(database, stream, { plan, ...token, ...from });
  return { ids: rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b), boundary, units: plan.units };
}

const by = (...cursor: string[]): Incremental => ({ cursor });
const add = (values: string) => server.query(`INSERT INTO t (id, c, at, made) VALUES ${values}`);

describe.each([true, false])('with a snapshot held: %s', (held) => {
  test('late rows with the greatest value come once, and those above it', async () => {
    await using database = openDatabase(server);
    await add('(1, 10), (2, 20), (3, 20)'.replaceAll(')', ', NULL, NULL)'));
    const first = await increment(database, by('c'), { held });
    expect(first.ids).toEqual([1, 2, 3]);
    await add('(4, 20), (5, 19), (6, 21)'.replaceAll(')', ', NULL, NULL)'));
    const second = await increment(database, by('c'), { since: first, held });
    expect(second.ids).toEqual([4, 6]);
    const third = await increment(database, by('c'), { since: second, held });
    expect(third.ids).toEqual([]);
    await add('(7, 21)'.replace(')', ', NULL, NULL)'));
    expect((await increment(database, by('c'), { since: third, held })).ids).toEqual([7]);
  });

  test('rows without a cursor value come with the first load only', async () => {
    await using database = openDatabase(server);
    await add('(1, NULL, NULL, NULL), (2, 5, NULL, NULL)');
    const first = await increment(database, by('c'), { held });
    expect(first.ids).toEqual([1, 2]);
    await add('(3, NULL, NULL, NULL), (4, 6, NULL, NULL)');
    expect((await increment(database, by('c'), { since: first, held })).ids).toEqual([4]);
  });
});

test('an empty table, or one with nulls alone, has no boundary until the first value', async () => {
  await using database = openDatabase(server);
  await add('(1, NULL, NULL, NULL)');
  const first = await increment(database, by('c'));
  expect(first).toMatchObject({ ids: [1], boundary: { from: null } });
  const second = await increment(database, by('c'), { since: first });
  expect(second).toMatchObject({ ids: [], boundary: { from: null } });
  await add('(2, -5, NULL, NULL)');
  expect(await increment(database, by('c'), { since: second })).toMatchObject({ ids: [2], boundary: { from: ['-5'] } });
});

test('a row changed at the same cursor value comes again, an unchanged one does not', async () => {
  await using database = openDatabase(server);
  await add('(1, 5, NULL, NULL), (2, 5, NULL, NULL)');
  const first = await increment(database, by('c'));
  await server.query("UPDATE t SET pad = 'new' WHERE id = 2; UPDATE t SET pad = pad WHERE id = 1");
  expect((await increment(database, by('c'), { since: first })).ids).toEqual([2]);
});

test('equal rows without a key are counted: those added come, the others do not', async () => {
  await using database = openDatabase(server);
  await add('(1, 5, NULL, NULL), (1, 5, NULL, NULL), (2, 5, NULL, NULL)');
  const first = await increment(database, by('c'));
  await add('(1, 5, NULL, NULL), (3, 5, NULL, NULL)');
  expect((await increment(database, by('c'), { since: first })).ids).toEqual([1, 3]);
});

test('rows that a filter leaves out do not count as read', async () => {
  await using database = openDatabase(server);
  const id = { name: 'id', type: 'int', nullable: true } as const;
  const c = { ...id, name: 'c' };
  const filter = {
    condition: { column: 'pad', isNull: false },
    columns: [{ ...id, name: 'pad', type: 'string' as const }],
  };
  const outputs = [id, c].map((column) => ({ column, expression: { column: column.name } }));
  const changes = { columns: [id, c], shape: { columns: [id, c], primaryKey: [], filter, outputs } };
  await add('(1, 5, NULL, NULL)');
  const first = await increment(database, by('c'), { changes });
  expect(first.ids).toEqual([]);
  // Equal in all that is read to the row that was left out.
  await server.query("INSERT INTO t (id, c, pad) VALUES (1, 5, 'x')");
  expect((await increment(database, by('c'), { since: first, changes })).ids).toEqual([1]);
});

test('the clock goes back: the boundary stays, and a lookback finds what was written below it', async () => {
  await using database = openDatabase(server);
  await add("(1, 0, '2026-01-01 10:00', NULL)");
  const plain = await increment(database, by('at'));
  const cursor = { cursor: ['at'], lookbackSeconds: 3600 };
  const looking = await increment(database, cursor);
  await server.query('DELETE FROM t');
  await add("(2, 0, '2026-01-01 09:30', NULL), (3, 0, '2026-01-01 08:30', NULL)");
  const next = await increment(database, by('at'), { since: plain });
  expect(next).toMatchObject({ ids: [], boundary: { from: ['2026-01-01 10:00:00+00'] } });
  const found = await increment(database, cursor, { since: looking });
  expect(found).toMatchObject({ ids: [2], boundary: { from: ['2026-01-01 09:00:00+00'] } });
  await add("(4, 0, '2026-01-01 09:10', NULL), (5, 0, '2026-01-01 11:00', NULL)");
  const last = await increment(database, cursor, { since: found });
  expect(last.ids).toEqual([4, 5]);
  expect((await increment(database, cursor, { since: last })).ids).toEqual([]);
});

test('infinity is read once and does not end all increments', async () => {
  await using database = openDatabase(server);
  await add("(1, 0, 'infinity', NULL), (2, 0, '2026-01-01', NULL)");
  const first = await increment(database, by('at'));
  await add("(3, 0, '2026-01-02', NULL)");
  const second = await increment(database, by('at'), { since: first });
  expect(second.ids).toEqual([3]);
  expect((await increment(database, by('at'), { since: second })).ids).toEqual([]);
});

test('where the cursor is null the fallback counts', async () => {
  await using database = openDatabase(server);
  const cursor = { cursor: ['at'], fallback: 'made' };
  await add("(1, 0, NULL, '2026-01-01'), (2, 0, '2026-01-03', '2026-01-01')");
  const first = await increment(database, cursor);
  await add("(3, 0, NULL, '2026-01-04'), (4, 0, NULL, '2026-01-02'), (5, 0, '2026-01-05', '2026-01-01')");
  expect((await increment(database, cursor, { since: first })).ids).toEqual([3, 5]);
});

test('several columns are compared in their order', async () => {
  await using database = openDatabase(server);
  await add("(1, 1, '2026-01-05', NULL), (2, 2, '2026-01-01', NULL)");
  const first = await increment(database, by('c', 'at'));
  await add(
    "(3, 1, '2026-01-09', NULL), (4, 2, '2026-01-01', NULL), (5, 2, '2026-01-02', NULL), (6, 3, '2025-01-01', NULL)",
  );
  expect((await increment(database, by('c', 'at'), { since: first })).ids).toEqual([4, 5, 6]);
});

test('an index on the cursor cuts what is new, whatever else the table holds', async () => {
  await using database = openDatabase(server);
  const fill = (from: number, to: number) =>
    server.query(`INSERT INTO t SELECT n, n, NULL, NULL, repeat('x', 90) FROM generate_series(${from}, ${to}) n`);
  await fill(1, 5000);
  await server.query('CREATE INDEX ON t (c); ANALYZE t');
  const first = await increment(database, by('c'));
  expect(first.units).toBeGreaterThan(20);
  await fill(5001, 5010);
  const second = await increment(database, by('c'), { since: first });
  expect(second).toMatchObject({ units: 2, ids: Array.from({ length: 10 }, (_, index) => 5001 + index) });
  await fill(5011, 9000);
  await server.query('ANALYZE t');
  const third = await increment(database, by('c'), { since: second });
  expect(third.ids).toHaveLength(3990);
  expect(third.units).toBeGreaterThan(10);
});

test('any number of rows of a table may have the newest value: those read come not again, late ones do', async () => {
  await using database = openDatabase(server);
  await server.query('INSERT INTO t SELECT n, 7 FROM generate_series(1, 20000) n');
  const running = await server.client();
  await running.query('BEGIN; SAVEPOINT s; INSERT INTO t VALUES (20001, 7); RELEASE s');
  await server.query('INSERT INTO t VALUES (20002, 7)');
  const first = await increment(database, by('c'));
  expect(first.ids).toHaveLength(20_001);
  expect(JSON.stringify(first.boundary).length).toBeLessThan(500);
  await running.query('COMMIT');
  await running.end();
  await server.query('INSERT INTO t VALUES (20003, 7)');
  await server.query('VACUUM FREEZE t');
  const second = await increment(database, by('c'), { since: first });
  expect(second.ids).toEqual([20_001, 20_003]);
  expect((await increment(database, by('c'), { since: second })).ids).toEqual([]);
});

test('a view with too many rows at the newest value is refused, with what helps', async () => {
  await using database = openDatabase(server);
  await server.query('INSERT INTO t SELECT n, 7 FROM generate_series(1, 6000) n; CREATE VIEW seen AS SELECT * FROM t');
  await expect(increment(database, by('c'), { stream: 'seen' })).rejects.toMatchObject({
    code: 'unsupported',
    message: 'More than 5000 rows of public.seen have its newest cursor values.',
  });
});

test('views and partitioned tables have increments too', async () => {
  await using database = openDatabase(server);
  await server.query(`
    CREATE VIEW seen AS SELECT * FROM t;
    DROP TABLE IF EXISTS parted; CREATE TABLE parted (id int, c int) PARTITION BY HASH (id);
    CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)`);
  for (const stream of ['seen', 'parted']) {
    const table = stream === 'seen' ? 't' : 'parted';
    await server.query(`INSERT INTO ${table} SELECT n, n FROM generate_series(1, 9) n`);
    const first = await increment(database, by('c'), { stream });
    await server.query(`INSERT INTO ${table} SELECT n, 9 FROM generate_series(10, 15) n`);
    expect((await increment(database, by('c'), { stream, since: first })).ids, stream).toEqual([
      10, 11, 12, 13, 14, 15,
    ]);
  }
});

test('a lookback on a cursor that is no time is refused', async () => {
  await using database = openDatabase(server);
  await expect(increment(database, { cursor: ['c'], lookbackSeconds: 5 })).rejects.toMatchObject({
    code: 'config_invalid',
  });
});
