import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brief, Following, followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

async function open(pipeline: string, names: string[]) {
  const database = openDatabase(server);
  const streams = following(await Promise.all(names.map((name) => selectNamed(database, `public.${name}`))));
  const log = database.openChangeLog(pipeline);
  const from = await log.prepare(streams);
  const close = () => log[Symbol.asyncDispose]().then(() => database[Symbol.asyncDispose]());
  return { database, log, streams, from, [Symbol.asyncDispose]: close };
}

test('columns that are added, dropped, renamed and retyped come in order with the rows of their time', async () => {
  await server.query('CREATE TABLE altered (id int PRIMARY KEY, a int, b text)');
  await using parts = await open('altered', ['altered']);
  await server.query(`INSERT INTO altered VALUES (1, 1, 'one')`);
  await server.query('ALTER TABLE altered ADD COLUMN c timestamptz');
  await server.query(`INSERT INTO altered VALUES (2, 2, 'two', '2024-02-29 12:00Z')`);
  await server.query('ALTER TABLE altered DROP COLUMN b');
  await server.query('INSERT INTO altered VALUES (3, 3, NULL)');
  await server.query('ALTER TABLE altered RENAME COLUMN a TO z');
  await server.query('INSERT INTO altered VALUES (4, 4, NULL)');
  await server.query('ALTER TABLE altered ALTER COLUMN z TYPE bigint');
  await server.query('INSERT INTO altered VALUES (5, 9007199254740993, NULL)');
  const { changes, schemas } = await followToHead(parts.log, parts);
  const shown = schemas.map(({ columns }) =>
    columns.map(({ name, type }) => `${name} ${JSON.stringify(type)}`.replaceAll('"', '')),
  );
  expect(shown).toEqual([
    ['id int', 'a int', 'b string'],
    ['id int', 'a int', 'b string', 'c timestamptz'],
    ['id int', 'a int', 'c timestamptz'],
    ['id int', 'z int', 'c timestamptz'],
    ['id int', 'z long', 'c timestamptz'],
  ]);
  expect(brief(changes)).toEqual([
    ['c', 1, 1, 'one'],
    ['c', 2, 2, 'two', '2024-02-29T12:00:00.000000Z'],
    ['c', 3, 3, null],
    ['c', 4, 4, null],
    ['c', 5, '9007199254740993', null],
  ]);
  expect(schemas.every(({ primaryKey }) => primaryKey.join() === 'id')).toBe(true);
});

test('a renamed key column stays the key', async () => {
  await server.query('CREATE TABLE rekeyed (id int PRIMARY KEY, v text)');
  await using parts = await open('rekeyed', ['rekeyed']);
  await server.query(`INSERT INTO rekeyed VALUES (1, 'a')`);
  await server.query('ALTER TABLE rekeyed RENAME COLUMN id TO number');
  await server.query('UPDATE rekeyed SET number = 2');
  const { changes, schemas } = await followToHead(parts.log, parts);
  expect(schemas.map(({ primaryKey }) => primaryKey)).toEqual([['id'], ['number']]);
  expect(changes.map(({ op, row }) => [op, row['number']])).toEqual([
    ['c', undefined],
    ['d', 1],
    ['c', 2],
  ]);
});

test('columns that the user did not choose are left out, also later ones', async () => {
  await server.query('CREATE TABLE chosen (id int PRIMARY KEY, secret text, v int)');
  await using parts = await open('chosen', ['chosen']);
  const [stream] = parts.streams;
  const columns = (stream?.columns ?? []).filter(({ name }) => name !== 'secret');
  const streams = parts.streams.map((one) => ({
    ...one,
    columns,
    shape: { columns, primaryKey: ['id'], outputs: [] },
  }));
  await server.query(`INSERT INTO chosen VALUES (1, 's', 10)`);
  await server.query('ALTER TABLE chosen ADD COLUMN later int');
  await server.query(`UPDATE chosen SET secret = 't', v = 11, later = 1`);
  const { changes, schemas } = await followToHead(parts.log, { ...parts, streams });
  expect(brief(changes)).toEqual([
    ['c', 1, 10],
    ['u', 1, 11],
  ]);
  expect(schemas).toHaveLength(1);
});

test('changes of partitions, and rows that move between them, are those of their table', async () => {
  await server.query(`CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (100);
    CREATE TABLE high PARTITION OF parted FOR VALUES FROM (100) TO (200)`);
  await using parts = await open('parted', ['parted']);
  await server.query(`INSERT INTO parted VALUES (1, 'a'), (150, 'b')`);
  await server.query('UPDATE parted SET id = 101 WHERE id = 1');
  await server.query('CREATE TABLE more PARTITION OF parted FOR VALUES FROM (200) TO (300)');
  await server.query(`INSERT INTO parted VALUES (250, 'c')`);
  await server.query('TRUNCATE parted');
  const { changes, events } = await followToHead(parts.log, parts);
  expect(changes.map(({ stream, op, row }) => [stream, op, row['id']])).toEqual([
    ['public.parted', 'c', 1],
    ['public.parted', 'c', 150],
    ['public.parted', 'd', 1],
    ['public.parted', 'c', 101],
    ['public.parted', 'c', 250],
  ]);
  expect(events.filter(({ event }) => event === 'truncate')).toHaveLength(1);
});

test('tables of one transaction, truncated together too, share its commit; others are not sent', async () => {
  await server.query(
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE not_followed (id int PRIMARY KEY)',
  );
  await using parts = await open('together', ['a', 'b']);
  await server.query(`BEGIN; INSERT INTO a VALUES (1); INSERT INTO not_followed VALUES (1); INSERT INTO b VALUES (1); SAVEPOINT s; INSERT INTO a VALUES (2);
    ROLLBACK TO s; INSERT INTO b VALUES (2); TRUNCATE a, b; INSERT INTO a VALUES (3); COMMIT; BEGIN; INSERT INTO a VALUES (99); ROLLBACK`);
  const { events, changes } = await followToHead(parts.log, parts);
  expect(changes.map(({ stream, row }) => `${stream} ${String(row['id'])}`).toSorted()).toEqual([
    'public.a 1',
    'public.a 3',
    'public.b 1',
    'public.b 2',
  ]);
  expect(events.filter(({ event }) => event === 'commit')).toHaveLength(1);
  const ofA = events.flatMap((event) => ('stream' in event && event.stream === 'public.a' ? [event.event] : []));
  expect(ofA).toEqual(['schema', 'changes', 'truncate', 'changes']);
});

test('a table that joins later is followed from the place that prepare gives, though one is writing to it meanwhile', async () => {
  await server.query('CREATE TABLE early (id int PRIMARY KEY); CREATE TABLE late (id int PRIMARY KEY)');
  await using parts = await open('joined', ['early']);
  const both = [...parts.streams, ...following([await selectNamed(parts.database, 'public.late')])];
  const writer = await server.client();
  await writer.query('BEGIN; INSERT INTO late VALUES (1)');
  const preparing = parts.log.prepare(both);
  await writer.query('INSERT INTO late VALUES (2); COMMIT');
  const place = await preparing;
  // What lies before the place is for the copy to see, what lies behind it for the log to tell.
  const copied = await server.query<{ id: number }>('SELECT id FROM late ORDER BY id');
  await server.query('INSERT INTO late VALUES (3)');
  const { changes } = await followToHead(parts.log, { from: place, streams: both });
  expect([...copied.map(({ id }) => id), ...changes.map(({ row }) => row['id'])]).toEqual([1, 2, 3]);
});

test('a new column that only the server can print makes the log be read anew as text', async () => {
  await server.query('CREATE TABLE printed (id int PRIMARY KEY)');
  await using parts = await open('printed', ['printed']);
  await server.query('INSERT INTO printed VALUES (1)');
  await using first = await Following.start(parts.log, parts);
  await expect.poll(() => first.events.some(({ event }) => event === 'commit'), { timeout: 30_000 }).toBe(true);
  await server.query('ALTER TABLE printed ADD COLUMN spans interval[]');
  await server.query(`INSERT INTO printed VALUES (2, '{1 day}')`);
  expect(await first.error).toMatchObject({ code: 'plan_outdated', retryable: true, stream: 'public.printed' });
  const { changes } = await followToHead(parts.log, { ...parts, from: first.position });
  expect(brief(changes)).toEqual([['c', 2, ['P1D']]]);
});
