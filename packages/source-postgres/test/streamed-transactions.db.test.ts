import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brief, Following, followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  // The least there is: a transaction of some hundred rows is sent while it is under way.
  server = await startPostgres({ settings: { logical_decoding_work_mem: '64kB' } });
});
afterAll(() => server[Symbol.asyncDispose]());

const PATIENCE = { timeout: 30_000 };
const STREAMED = `SELECT coalesce(sum(stream_txns), 0)::int AS count FROM pg_stat_replication_slots`;

test('a large transaction is kept on disk until it commits, without what was rolled back, and in the order of commits', async () => {
  await server.query('CREATE TABLE large (id int PRIMARY KEY, pad text); CREATE TABLE other (id int PRIMARY KEY)');
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.large'), await selectNamed(database, 'public.other')]);
  await using log = database.openChangeLog('large');
  const from = await log.prepare(streams);
  const [kept, dropped] = [await server.client(), await server.client()];
  const insert = (low: number, high: number) =>
    `INSERT INTO large SELECT n, repeat('x', 100) FROM generate_series(${low}, ${high}) AS n`;
  await kept.query(`BEGIN; ${insert(1, 2000)}; SAVEPOINT a; ${insert(2001, 4000)}`);
  await dropped.query(`BEGIN; ${insert(100_001, 103_000)}`);
  await kept.query(
    `ROLLBACK TO a; SAVEPOINT b; ${insert(4001, 6000)}; RELEASE b; UPDATE large SET pad = 'y' WHERE id <= 3`,
  );
  await server.query('INSERT INTO other VALUES (1)');
  await dropped.query('ROLLBACK');
  await kept.query('COMMIT');
  await server.query('INSERT INTO other VALUES (2)');
  const { events, changes } = await followToHead(log, { from, streams, batchBytes: 1 << 16 });
  const large = changes.filter(({ stream }) => stream === 'public.large');
  expect(large).toHaveLength(4003);
  expect(new Set(large.map(({ row }) => row['id'])).size).toBe(4000);
  expect(brief(large.slice(-3))).toEqual([1, 2, 3].map((id) => ['u', id, 'y']));
  const order = changes.map(({ stream }) => stream).filter((stream, index, all) => stream !== all[index - 1]);
  expect(order).toEqual(['public.other', 'public.large', 'public.other']);
  expect(changes.map(({ position }) => position).toSorted()).toEqual(changes.map(({ position }) => position));
  expect(events.filter(({ event }) => event === 'changes').length).toBeGreaterThan(5);
  const [{ count } = { count: 0 }] = await server.query<{ count: number }>(STREAMED);
  expect(count).toBeGreaterThanOrEqual(1);
});

test('columns that are added within a large transaction come with the rows behind them', async () => {
  await server.query('CREATE TABLE grown (id int PRIMARY KEY)');
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.grown')]);
  await using log = database.openChangeLog('grown');
  const from = await log.prepare(streams);
  await server.query(`
    BEGIN;
    INSERT INTO grown SELECT generate_series(1, 3000);
    ALTER TABLE grown ADD COLUMN extra int;
    INSERT INTO grown SELECT n, n FROM generate_series(3001, 6000) AS n;
    COMMIT`);
  const { changes, schemas } = await followToHead(log, { from, streams });
  expect(schemas.map(({ columns }) => columns.map(({ name }) => name))).toEqual([['id'], ['id', 'extra']]);
  expect(changes).toHaveLength(6000);
  expect(changes.filter(({ row }) => 'extra' in row && row['extra'] === row['id'])).toHaveLength(3000);
});

test('what is kept of a transaction under way is private, and gone when it is rolled back, in part or all of it', async () => {
  await server.query('CREATE TABLE under_way (id int PRIMARY KEY)');
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.under_way')]);
  await using log = database.openChangeLog('under_way');
  const from = await log.prepare(streams);
  await using followed = await Following.start(log, { from, streams });
  const files = () => readdir(followed.spillFolder);
  const bytes = async () => {
    const sizes = await Promise.all(
      (await files()).map(async (file) => (await stat(path.join(followed.spillFolder, file))).size),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const writer = await server.client();
  const insert = (low: number, high: number) => `INSERT INTO under_way SELECT generate_series(${low}, ${high})`;
  await writer.query(`BEGIN; ${insert(1, 1000)}; SAVEPOINT a; ${insert(1001, 60_000)}`);
  await expect.poll(bytes, PATIENCE).toBeGreaterThan(1 << 20);
  const [file = ''] = await files();
  expect((await stat(path.join(followed.spillFolder, file))).mode & 0o777).toBe(0o600);
  await writer.query(`ROLLBACK TO a; ${insert(1001, 2000)}; COMMIT`);
  await expect.poll(() => followed.events.some(({ event }) => event === 'commit'), PATIENCE).toBe(true);
  expect(followed.changes.map(({ row }) => row['id'])).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
  expect(await files()).toEqual([]);
  await writer.query(`BEGIN; ${insert(10_001, 70_000)}`);
  await expect.poll(bytes, PATIENCE).toBeGreaterThan(1 << 20);
  await writer.query('ROLLBACK');
  await expect.poll(files, PATIENCE).toEqual([]);
  expect(followed.changes).toHaveLength(2000);
});

test('a transaction that is under way at the end comes whole when following goes on', async () => {
  await server.query('CREATE TABLE unfinished (id int PRIMARY KEY)');
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.unfinished')]);
  await using log = database.openChangeLog('unfinished');
  const from = await log.prepare(streams);
  const writer = await server.client();
  await writer.query('BEGIN; INSERT INTO unfinished SELECT generate_series(1, 20000)');
  const followed = await followToHead(log, { from, streams });
  expect(followed.changes).toEqual([]);
  await writer.query('COMMIT');
  const { changes } = await followToHead(log, { from: followed.position, streams });
  expect(changes).toHaveLength(20_000);
});
