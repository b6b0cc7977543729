import { type PostgresServer, startPostgres, startPostgresStandby } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chunkRequest, configFor, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

const ROWS = 20_000;
let primary: PostgresServer;
let standby: PostgresServer;

beforeAll(async () => {
  // A standby that lets replay wait for nobody shows at once what others show after 30 s.
  primary = await startPostgres({ major: 15, settings: { autovacuum: 'off' } });
  await primary.query(
    `CREATE TABLE t AS SELECT n AS id, repeat('x', 500) AS pad FROM generate_series(1, ${ROWS}) AS n`,
  );
  standby = await startPostgresStandby(primary, { max_standby_streaming_delay: '0' });
});
afterAll(async () => {
  await standby?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

test('a standby is read in a held snapshot', async () => {
  await using database = openDatabase(standby, { targetSession: 'standby' });
  const stream = await selectNamed(database, 'public.t');
  await using held = await database.holdSnapshot();
  const plan = await database.planChunks(stream, planRequest(1 << 20, { snapshot: held.token }));
  const rows = await readRows(database, stream, { plan, snapshot: held.token });
  expect(plan.units).toBeGreaterThan(5);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(ROWS);
});

test('a plan made on the primary is good on its standby', async () => {
  await using there = openDatabase(primary);
  await using here = openDatabase(standby);
  const stream = await selectNamed(there, 'public.t');
  const plan = await there.planChunks(stream, planRequest(1 << 20));
  expect(await readRows(here, stream, { plan })).toHaveLength(ROWS);
});

test('a primary is refused where a standby is asked for, and the other way round', async () => {
  await using wrong = openDatabase(primary, { targetSession: 'standby' });
  await expect(wrong.discover()).rejects.toMatchObject({
    code: 'source_unreachable',
    message: `The server 127.0.0.1:${primary.port} is not standby, which the target session asks for.`,
  });
  await using other = openDatabase(standby, { targetSession: 'read-write' });
  await expect(other.discover()).rejects.toMatchObject({ code: 'source_unreachable' });
  const config = configFor(primary, { host: '127.0.0.1,127.0.0.1', targetSession: 'prefer-standby' });
  await using any = openDatabase(primary, config);
  expect(await any.discover()).toHaveLength(1);
});

test('replay that removes rows of the snapshot ends it, with what to set', async () => {
  await using database = openDatabase(standby);
  await using held = await database.holdSnapshot();
  await primary.query('UPDATE t SET id = id');
  await primary.query('VACUUM t');
  expect(await held.lost).toMatchObject({
    code: 'snapshot_lost',
    retryable: true,
    message: `The standby 127.0.0.1:${standby.port} stopped the reading of a table, since replay had to remove rows that were still needed.`,
    help: expect.stringContaining('hot_standby_feedback = on'),
  });
});

test('replay that waits for a lock stops one reader, who may try again', async () => {
  await using database = openDatabase(standby);
  const stream = await selectNamed(database, 'public.t');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const request = { ...chunkRequest(stream, plan), batchBytes: 1 << 12 };
  const read = database.readChunk({ ...request, signal: new AbortController().signal });
  await read.next();
  await primary.query('ALTER TABLE t ALTER COLUMN pad SET STATISTICS 10; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  await expect(Array.fromAsync(read)).rejects.toMatchObject({
    code: 'source_busy',
    message: `The standby 127.0.0.1:${standby.port} stopped the reading of table public.t, since replay waited for a lock too long.`,
  });
  expect(await readRows(database, stream, { plan })).toHaveLength(ROWS);
});
