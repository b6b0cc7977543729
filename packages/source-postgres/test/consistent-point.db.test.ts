import { type PostgresServer, startPostgres, startPostgresStandby } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Following, followToHead, following } from './change-fixture.ts';
import { chunkRequest, openDatabase, planRequest, readRows, selectNamed, tableOf } from './postgres-fixture.ts';

const PATIENCE = { timeout: 30_000 };
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 15 });
});
afterAll(() => server[Symbol.asyncDispose]());

test('the rows of a held snapshot and the changes behind its place are all there is, each once', async () => {
  await server.query('CREATE TABLE history (id int)');
  await server.query('ALTER TABLE history REPLICA IDENTITY FULL');
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.history');
  const streams = following([stream]);
  await using log = database.openChangeLog('history');
  const from = await log.prepare(streams);
  let next = 0;
  let isWriting = true;
  const write = async () => {
    const client = await server.client();
    while (isWriting) await client.query('INSERT INTO history VALUES ($1)', [next++]);
  };
  const writers = [write(), write()];
  await expect.poll(() => next, PATIENCE).toBeGreaterThan(50);
  await using held = await log.holdSnapshot();
  const before = next;
  await expect.poll(() => next, PATIENCE).toBeGreaterThan(before + 50);
  isWriting = false;
  await Promise.all(writers);
  const plan = await database.planChunks(stream, planRequest(1 << 30, { snapshot: held.token }));
  const copied = await readRows(database, stream, { plan, snapshot: held.token });
  const { changes } = await followToHead(log, { from, streams });
  const point = log.orderKey(held.position);
  const later = changes.filter(({ position }) => position > point);
  const ids = [...copied.map(({ id }) => id as number), ...later.map(({ row }) => row['id'] as number)];
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: next }, (_, id) => id));
  expect(copied.length).toBeGreaterThan(50);
  expect(later.length).toBeGreaterThan(50);
});

test('a chunk sees every transaction that the log has told of, on a standby once it has replayed it', async () => {
  await server.query('CREATE TABLE seen (id int PRIMARY KEY)');
  await using standby = await startPostgresStandby(server);
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.seen');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  await using log = database.openChangeLog('seen');
  const from = await log.prepare(following([stream]));
  await standby.query('SELECT pg_wal_replay_pause()');
  await server.query('INSERT INTO seen VALUES (1)');
  await using followed = await Following.start(log, { from, streams: following([stream]) });
  const commits = () => followed.events.flatMap((event) => (event.event === 'commit' ? [event.transaction] : []));
  await expect.poll(commits, PATIENCE).toHaveLength(1);
  const count = async (where: typeof database) => {
    let rows = 0;
    const request = { ...chunkRequest(stream, plan), notBefore: commits() };
    for await (const item of where.readChunk(request)) if ('rows' in item) rows += tableOf(item).numRows;
    return rows;
  };
  expect(await count(database)).toBe(1);
  await using there = openDatabase(standby);
  let isRead = false;
  const reading = count(there).then((rows) => {
    isRead = true;
    return rows;
  });
  const asked = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_catalog.pg_last_wal_replay_lsn() >=%'`;
  await expect.poll(() => standby.query(asked), PATIENCE).toHaveLength(1);
  expect(isRead).toBe(false);
  await standby.query('SELECT pg_wal_replay_resume()');
  expect(await reading).toBe(1);
});

test('a transaction that waits for a synchronous standby is told before it is seen, and the chunk waits for it', async () => {
  await server.query('CREATE TABLE waiting (id int PRIMARY KEY)');
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.waiting');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  await using log = database.openChangeLog('waiting');
  const from = await log.prepare(following([stream]));
  await using followed = await Following.start(log, { from, streams: following([stream]) });
  await server.query(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
  await server.query('SELECT pg_reload_conf()');
  const writer = await server.client();
  const writing = writer.query('INSERT INTO waiting VALUES (1)');
  await expect.poll(() => followed.changes.length, PATIENCE).toBe(1);
  const commit = followed.events.find(({ event }) => event === 'commit');
  const notBefore = commit?.event === 'commit' ? [commit.transaction] : [];
  expect(await server.query('SELECT * FROM waiting')).toEqual([]);
  await using other = openDatabase(server);
  const reading = Array.fromAsync(other.readChunk({ ...chunkRequest(stream, plan), notBefore }));
  await server.query(`ALTER SYSTEM RESET synchronous_standby_names`);
  await server.query('SELECT pg_reload_conf()');
  await writing;
  const rows = (await reading).reduce((sum, item) => sum + ('rows' in item ? item.rows : 0), 0);
  expect(rows).toBe(1);
});
