import type { SelectedStream } from '@fjord/core';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    CREATE TABLE keyed (id int PRIMARY KEY, v text);
    CREATE TABLE keyless (id int, v text);
    CREATE TABLE full_row (id int, v text); ALTER TABLE full_row REPLICA IDENTITY FULL;
    CREATE TABLE hidden (id int PRIMARY KEY, v text); ALTER TABLE hidden REPLICA IDENTITY NOTHING;
    CREATE TABLE by_index (id int PRIMARY KEY, v text NOT NULL UNIQUE); ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_v_key;
    CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
    CREATE VIEW seen AS SELECT * FROM keyed;
    CREATE TABLE computed (id int PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) VIRTUAL, stored int GENERATED ALWAYS AS (v * 3) STORED);
    CREATE TABLE parted (id int, v text) PARTITION BY RANGE (id);
    CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100);
    ALTER TABLE parted REPLICA IDENTITY FULL;
    CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader`);
});
afterAll(() => server[Symbol.asyncDispose]());

const NAMES = 'keyed keyless full_row hidden by_index unlogged seen computed parted'.split(' ');

async function select(names: string[]): Promise<SelectedStream[]> {
  await using database = openDatabase(server);
  return following(await Promise.all(names.map((name) => selectNamed(database, `public.${name}`))));
}

test('each table that cannot be followed is named, with the fix', async () => {
  await using database = openDatabase(server);
  await using log = database.openChangeLog('tables');
  const problems = await log.findProblems(await select(NAMES));
  expect(problems.map(({ stream, message, fix }) => [stream, message, fix])).toEqual([
    [
      'public.by_index',
      'The change log does not tell which row of public.by_index was changed: it is identified by an index without all columns of the primary key.',
      'ALTER TABLE "public"."by_index" REPLICA IDENTITY DEFAULT;',
    ],
    [
      'public.computed',
      'The change log does not have the generated column(s) "twice" of public.computed.',
      expect.stringContaining('`columns`'),
    ],
    [
      'public.hidden',
      'The change log does not tell which row of public.hidden was changed: it has REPLICA IDENTITY NOTHING.',
      'ALTER TABLE "public"."hidden" REPLICA IDENTITY DEFAULT;',
    ],
    [
      'public.keyless',
      'Table public.keyless has no primary key, so the change log must have all of each changed row (REPLICA IDENTITY FULL).',
      'ALTER TABLE "public"."keyless" REPLICA IDENTITY FULL; or give it a primary key.',
    ],
    [
      'public.parted',
      expect.stringContaining('public.parted_low has no primary key'),
      'ALTER TABLE "public"."parted_low" REPLICA IDENTITY FULL; or give it a primary key.',
    ],
    ['public.seen', expect.stringContaining('is no table'), expect.any(String)],
    ['public.unlogged', expect.stringContaining('is unlogged'), expect.stringContaining('SET LOGGED')],
  ]);
  const [made] = await server.query(`SELECT count(*)::int AS count FROM pg_publication`);
  expect(made).toEqual({ count: 0 });
});

test('a table whose rows cannot be told apart is not published: its owner could not update it any more', async () => {
  await using database = openDatabase(server);
  await using log = database.openChangeLog('harmless');
  await expect(log.prepare(await select(['keyed', 'keyless']))).rejects.toMatchObject({
    code: 'unsupported',
    stream: 'public.keyless',
    help: expect.stringContaining('REPLICA IDENTITY FULL'),
  });
  await server.query(`INSERT INTO keyless VALUES (1, 'a'); UPDATE keyless SET v = 'b'`);
});

test('a user without privileges is told what to grant, and what to run instead', async () => {
  await using database = openDatabase(server, { user: 'reader', password: 'reader' });
  await using log = database.openChangeLog('poor');
  const streams = await select(['keyed']);
  const problems = await log.findProblems(streams);
  expect(problems).toEqual([
    {
      code: 'permission_denied',
      message: 'User "reader" may not read the change log.',
      fix: 'ALTER ROLE "reader" REPLICATION;',
    },
    {
      code: 'permission_denied',
      message: 'User "reader" may not make publication "fjord_poor" of all tables that are to be followed.',
      fix: expect.stringContaining(
        'CREATE PUBLICATION "fjord_poor" FOR TABLE "public"."keyed" WITH (publish_via_partition_root = true, publish_generated_columns = stored);',
      ),
    },
  ]);
  await expect(log.prepare(streams)).rejects.toMatchObject({
    code: 'permission_denied',
    help: expect.stringContaining('CREATE PUBLICATION "fjord_poor" FOR TABLE "public"."keyed"'),
  });
  const fix = problems[1]?.fix ?? '';
  await server.query(`ALTER ROLE reader REPLICATION; ${fix.slice(fix.indexOf('CREATE'))}`);
  expect(await log.findProblems(streams)).toEqual([]);
  const from = await log.prepare(streams);
  await server.query(`INSERT INTO keyed VALUES (1, 'a')`);
  expect((await followToHead(log, { from, streams })).changes).toHaveLength(1);
  await log.acknowledge(await log.head());
});

test('a publication of the user that leaves something out is told', async () => {
  await server.query(`CREATE PUBLICATION meagre FOR TABLE keyed WHERE (id > 5) WITH (publish = 'insert, update')`);
  await using database = openDatabase(server, { publication: 'meagre', slot: 'meagre_slot' });
  await using log = database.openChangeLog('any');
  const problems = await log.findProblems(await select(['keyed']));
  expect(problems.map(({ message }) => message)).toEqual([
    'Publication "meagre" leaves out changes of some kinds: delete, truncate.',
    'Publication "meagre" tells of partitions instead of their tables.',
    'Publication "meagre" leaves out rows of public.keyed.',
  ]);
});

test('a server that writes too little, has no slot free, or forgets slots is told what to set', async () => {
  const settings = {
    wal_level: 'replica',
    max_replication_slots: '1',
    max_wal_senders: '1',
    idle_replication_slot_timeout: '1h',
    max_slot_wal_keep_size: '1GB',
  };
  await using meagre = await startPostgres({ settings });
  await meagre.query('CREATE TABLE t (id int PRIMARY KEY)');
  await using database = openDatabase(meagre);
  const streams = following([await selectNamed(database, 'public.t')]);
  await using log = database.openChangeLog('meagre');
  const problems = await log.findProblems(streams);
  expect(problems.map(({ code, fix }) => [code, fix])).toEqual([
    ['unsupported', 'ALTER SYSTEM SET wal_level = logical; (and restart)'],
    ['source_busy', expect.stringContaining('ALTER SYSTEM SET max_replication_slots = …;')],
    ['source_busy', expect.stringContaining('ALTER SYSTEM SET max_wal_senders = …;')],
    ['position_lost', expect.stringContaining('idle_replication_slot_timeout = 0')],
    ['position_lost', expect.stringContaining('max_slot_wal_keep_size')],
  ]);
});
