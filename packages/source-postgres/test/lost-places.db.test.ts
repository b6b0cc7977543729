import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({
    settings: { max_slot_wal_keep_size: '32MB', min_wal_size: '32MB', max_wal_size: '64MB' },
  });
  await server.query('CREATE TABLE t (id int PRIMARY KEY, pad text)');
});
afterAll(() => server[Symbol.asyncDispose]());

async function open(pipeline: string) {
  const database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.t')]);
  const log = database.openChangeLog(pipeline);
  const from = await log.prepare(streams);
  const close = () => log[Symbol.asyncDispose]().then(() => database[Symbol.asyncDispose]());
  return { log, streams, from, [Symbol.asyncDispose]: close };
}

const lostBecause = (why: RegExp) => ({ code: 'position_lost', message: expect.stringMatching(why) });

test('a slot that was dropped is told, and a new one does not hide it', async () => {
  await using parts = await open('dropped');
  const { log, streams, from } = parts;
  await server.query(`SELECT pg_drop_replication_slot('fjord_dropped')`);
  await expect(followToHead(log, { from, streams })).rejects.toMatchObject(lostBecause(/slot "fjord_dropped" is gone/));
  await server.query('INSERT INTO t VALUES (1)');
  const anew = await log.prepare(streams);
  const lost = await log.findLost(
    new Map([
      ['public.t', from],
      ['public.other', anew],
    ]),
  );
  expect([...lost.keys()]).toEqual(['public.t']);
  expect(lost.get('public.t')).toMatchObject({
    ...lostBecause(/begins at .*, beyond .*made anew or moved/),
    stream: 'public.t',
  });
  await expect(followToHead(log, { from, streams })).rejects.toMatchObject(lostBecause(/made anew or moved/));
  await log.remove();
});

test('a slot that somebody moved on is told', async () => {
  await using parts = await open('moved');
  const { log, streams, from } = parts;
  await server.query('INSERT INTO t VALUES (2)');
  await server.query(`SELECT pg_replication_slot_advance('fjord_moved', pg_current_wal_lsn())`);
  await expect(followToHead(log, { from, streams })).rejects.toMatchObject(lostBecause(/made anew or moved/));
  await log.remove();
});

test('a slot that fell too far behind is told with the reason, and replaced when the streams are copied anew', async () => {
  await using parts = await open('behind');
  const { log, streams, from } = parts;
  for (let round = 0; round < 6; round++) {
    await server.query(
      `INSERT INTO t SELECT n, repeat(md5(n::text), 60) FROM generate_series(100, 8000) AS n ON CONFLICT (id) DO UPDATE SET pad = excluded.pad || 'x'`,
    );
    await server.query('SELECT pg_switch_wal()');
    await server.query('CHECKPOINT');
  }
  const [slot] = await server.query(`SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'fjord_behind'`);
  expect(slot).toEqual({ wal_status: 'lost' });
  await expect(followToHead(log, { from, streams })).rejects.toMatchObject({
    ...lostBecause(/the server has given replication slot "fjord_behind" up \(wal_removed\)/),
    help: expect.stringContaining(`SELECT pg_drop_replication_slot('fjord_behind');`),
  });
  const anew = await log.prepare(streams);
  expect((await log.findLost(new Map([['public.t', from]]))).get('public.t')).toMatchObject(
    lostBecause(/slot "fjord_behind" was made anew \(wal_removed\)/),
  );
  await server.query('INSERT INTO t VALUES (3)');
  expect((await followToHead(log, { from: anew, streams })).changes).toHaveLength(1);
  await log.remove();
});

test('another server, and a place that this one never had, are told', async () => {
  await using parts = await open('restored');
  const { log, from } = parts;
  const place = from as { lsn: string; systemId: string; timeline: number };
  const positions = new Map<string, unknown>([
    ['another', { ...place, systemId: '1' }],
    ['later', { ...place, timeline: 2 }],
    ['none', { resume: 'token' }],
    ['here', place],
  ]);
  const lost = await log.findLost(positions);
  expect([...lost].map(([stream, { message }]) => [stream, message.split(': ')[1]])).toEqual([
    ['another', 'the server is another one than before (its system identifier differs).'],
    ['later', expect.stringContaining('the server never had')],
    ['none', 'the state holds no place in the log of PostgreSQL.'],
  ]);
  await log.remove();
});

test('a place beyond the end of the log is that of a server that was restored to an older state', async () => {
  await using parts = await open('ahead');
  const { log, streams, from } = parts;
  const ahead = { ...(from as object), lsn: 'FF/0' };
  expect((await log.findLost(new Map([['public.t', ahead]]))).get('public.t')).toMatchObject(
    lostBecause(/ends before/),
  );
  await expect(followToHead(log, { from: ahead, streams })).rejects.toMatchObject(lostBecause(/ends before/));
  await log.remove();
});

test('a table that was taken out of the publication has missed changes, and is told', async () => {
  await using parts = await open('altered');
  const { log, streams, from } = parts;
  await server.query('ALTER PUBLICATION fjord_altered DROP TABLE t');
  await server.query('INSERT INTO t VALUES (20)');
  await log.prepare(streams);
  const lost = await log.findLost(new Map([['public.t', from]]));
  expect(lost.get('public.t')).toMatchObject(lostBecause(/taken out of the publication meanwhile/));
  await log.remove();
});

test('remove leaves neither slot nor publication', async () => {
  await using parts = await open('gone');
  await parts.log.remove();
  const [left] = await server.query(
    `SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'fjord_gone')::int AS slots,
            (SELECT count(*) FROM pg_publication WHERE pubname = 'fjord_gone')::int AS publications`,
  );
  expect(left).toEqual({ slots: 0, publications: 0 });
});
