import { type PostgresServer, startPostgres, startTcpProxy } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Following, followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

const PATIENCE = { timeout: 30_000 };

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: { wal_sender_timeout: '3s' } });
  await server.query('CREATE TABLE busy (id int PRIMARY KEY, pad text); CREATE TABLE elsewhere (id int PRIMARY KEY)');
});
afterAll(() => server[Symbol.asyncDispose]());

const flushed = async (slot: string) => {
  const [row] = await server.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return row?.lsn;
};
const lsnOf = (position: unknown) => (position as { lsn: string }).lsn;

async function busy(pipeline: string) {
  const database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.busy')]);
  const log = database.openChangeLog(pipeline);
  const from = await log.prepare(streams);
  return {
    log,
    streams,
    from,
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose]().then(() => database[Symbol.asyncDispose]()),
  };
}

test('the slot stays where it is until a place is acknowledged, and then is just there', async () => {
  await using parts = await busy('acknowledged');
  const { log, streams, from } = parts;
  await using followed = await Following.start(log, { from, streams });
  const places: string[] = [];
  for (let id = 1; id <= 3; id++) {
    await server.query('INSERT INTO busy VALUES ($1)', [id]);
    await expect.poll(() => followed.changes.length, PATIENCE).toBe(id);
    await expect.poll(() => lsnOf(followed.position), PATIENCE).not.toBe(places.at(-1));
    places.push(lsnOf(followed.position));
  }
  const commits = followed.events.flatMap((event) => (event.event === 'commit' ? [event.position] : []));
  expect(await flushed('fjord_acknowledged')).toBe(lsnOf(from));
  await log.acknowledge(commits[1]);
  await expect.poll(() => flushed('fjord_acknowledged'), PATIENCE).toBe(lsnOf(commits[1]));
  // An older one says nothing new.
  await log.acknowledge(commits[0]);
  await followed[Symbol.asyncDispose]();
  await log.acknowledge(commits[2]);
  await expect.poll(() => flushed('fjord_acknowledged'), PATIENCE).toBe(lsnOf(commits[2]));
  await server.query('DELETE FROM busy');
});

test('what is acknowledged last holds when the log is closed, and without anybody following', async () => {
  await using parts = await busy('closed');
  const { log, streams, from } = parts;
  await server.query('INSERT INTO busy VALUES (10)');
  const first = await followToHead(log, { from, streams });
  await log.acknowledge(first.position);
  await log[Symbol.asyncDispose]();
  expect(await flushed('fjord_closed')).toBe(lsnOf(first.position));
  await server.query('DELETE FROM busy');
  const head = await log.head();
  await log.acknowledge(head);
  expect(await flushed('fjord_closed')).toBe(lsnOf(head));
});

test('an idle stream is told how far the log is, so that others do not pin it', async () => {
  await using parts = await busy('idle');
  const { log, streams, from } = parts;
  await using followed = await Following.start(log, { from, streams });
  await server.query('INSERT INTO elsewhere SELECT generate_series(1, 10000)');
  const head = await log.head();
  const reached = () => log.orderKey(followed.position) >= log.orderKey(head);
  await expect.poll(reached, PATIENCE).toBe(true);
  expect(followed.events.every(({ event }) => event === 'heartbeat')).toBe(true);
  await log.acknowledge(followed.position);
  await expect.poll(async () => (await log.measureLag()).bytes, PATIENCE).toBeLessThan(1 << 20);
});

test('a consumer that takes longer than wal_sender_timeout keeps the connection, and gets everything', async () => {
  await using parts = await busy('slow');
  const { log, streams, from } = parts;
  await server.query(`INSERT INTO busy SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n`);
  const until = await log.head();
  const started = Date.now();
  let rows = 0;
  const request = { from, until, streams, batchBytes: 1 << 18, spillFolder: '/nonexistent' };
  for await (const event of log.follow({ ...request, signal: new AbortController().signal })) {
    if (event.event !== 'changes') continue;
    // Longer than the server waits, with more of the log unread than sockets hold.
    if (rows === 0) await expect.poll(() => Date.now() - started, { timeout: 10_000 }).toBeGreaterThan(5000);
    rows += event.rows;
  }
  expect(rows).toBe(20_000);
  await server.query('TRUNCATE busy');
});

test('a change is here within a fifth of a second', async () => {
  await using parts = await busy('prompt');
  const { log, streams, from } = parts;
  await using followed = await Following.start(log, { from, streams });
  await server.query('INSERT INTO busy VALUES (1)');
  await expect.poll(() => followed.changes.length, PATIENCE).toBe(1);
  const delays: number[] = [];
  for (let id = 2; id <= 31; id++) {
    await server.query('INSERT INTO busy VALUES ($1)', [id]);
    const committed = performance.now();
    await expect.poll(() => followed.changes.length, { ...PATIENCE, interval: 2 }).toBe(id);
    delays.push(performance.now() - committed);
  }
  expect(delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)]).toBeLessThan(200);
  await server.query('TRUNCATE busy');
});

test('after a cut connection and a restarted server the log goes on where it was', async () => {
  await using proxy = await startTcpProxy(server);
  await using database = openDatabase(server, { port: proxy.port });
  const streams = following([await selectNamed(database, 'public.busy')]);
  await using log = database.openChangeLog('restarted');
  const from = await log.prepare(streams);
  await using first = await Following.start(log, { from, streams });
  await server.query('INSERT INTO busy VALUES (1)');
  await expect.poll(() => first.events.some(({ event }) => event === 'commit'), PATIENCE).toBe(true);
  proxy.cut();
  expect(await first.error).toMatchObject({ code: 'source_connection_lost', retryable: true });
  await server.kill();
  await server.start();
  await server.query('INSERT INTO busy VALUES (2)');
  const { changes } = await followToHead(log, { from: first.position, streams });
  expect(changes.map(({ row }) => row['id'])).toEqual([2]);
  await server.query('TRUNCATE busy');
});

test('a slot from which another run reads is in use', async () => {
  await using parts = await busy('shared');
  const { log, streams, from } = parts;
  await using followed = await Following.start(log, { from, streams });
  await expect.poll(() => followed.events.length, PATIENCE).toBeGreaterThan(0);
  await using database = openDatabase(server);
  await using other = database.openChangeLog('shared');
  await expect(followToHead(other, { from, streams })).rejects.toMatchObject({
    code: 'source_busy',
    message: expect.stringMatching(/^Replication slot "fjord_shared" is in use by server process \d+\.$/),
  });
});
