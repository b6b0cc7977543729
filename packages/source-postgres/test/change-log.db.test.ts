import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brief, followToHead, following } from './change-fixture.ts';
import { openDatabase, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

test('inserts, updates, deletes and truncates come in their order, each transaction once', async () => {
  await server.query('CREATE TABLE plain (id int PRIMARY KEY, name text, at timestamptz)');
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.plain')]);
  await using log = database.openChangeLog('plain');
  const from = await log.prepare(streams);
  await server.query(`INSERT INTO plain VALUES (1, 'one', '2024-02-29 12:00Z'), (2, 'two', NULL)`);
  await server.query(`UPDATE plain SET name = 'eins' WHERE id = 1`);
  await server.query('DELETE FROM plain WHERE id = 2');
  await server.query('TRUNCATE plain');
  await server.query(`INSERT INTO plain VALUES (3, 'three', NULL)`);
  const followed = await followToHead(log, { from, streams });
  expect(brief(followed.changes)).toEqual([
    ['c', 1, 'one', '2024-02-29T12:00:00.000000Z'],
    ['c', 2, 'two', null],
    ['u', 1, 'eins', '2024-02-29T12:00:00.000000Z'],
    ['d', 2, null, null],
    ['c', 3, 'three', null],
  ]);
  expect(followed.events.map(({ event }) => event)).toContain('truncate');
  const again = await followToHead(log, { from: followed.position, streams });
  expect(again.changes).toEqual([]);
});

test('a change of key is a delete and a create, and what an update left out is unset', async () => {
  await server.query('CREATE TABLE keyed (id int PRIMARY KEY, small text, big text)');
  await server.query('ALTER TABLE keyed ALTER COLUMN big SET STORAGE EXTERNAL');
  await server.query(`INSERT INTO keyed VALUES (1, 'a', repeat('x', 10000)), (2, 'b', 'short')`);
  await using database = openDatabase(server);
  const streams = following([await selectNamed(database, 'public.keyed')]);
  await using log = database.openChangeLog('keyed');
  const from = await log.prepare(streams);
  await server.query(`UPDATE keyed SET small = 'c'`);
  await server.query('UPDATE keyed SET id = id + 10');
  await server.query('UPDATE keyed SET id = id');
  const { changes } = await followToHead(log, { from, streams });
  expect(changes.map(({ op, row, unset }) => [op, row['id'], row['small'], row['big'], unset])).toEqual([
    ['u', 1, 'c', null, ['big']],
    ['u', 2, 'c', 'short', []],
    ['d', 1, null, null, ['small', 'big']],
    ['c', 11, 'c', null, ['big']],
    ['d', 2, null, null, ['small', 'big']],
    ['c', 12, 'c', 'short', []],
    ['u', 11, 'c', null, ['big']],
    ['u', 12, 'c', 'short', []],
  ]);
  const positions = changes.map(({ position }) => position);
  expect(positions.toSorted()).toEqual(positions);
  expect(new Set(positions).size).toBe(positions.length);
});

test('with all of the old row in the log nothing is unset, and without a key every update is a delete and a create', async () => {
  await server.query('CREATE TABLE known (id int PRIMARY KEY, big text); CREATE TABLE keyless (a int, b text)');
  await server.query('ALTER TABLE known REPLICA IDENTITY FULL; ALTER TABLE keyless REPLICA IDENTITY FULL');
  await server.query('ALTER TABLE known ALTER COLUMN big SET STORAGE EXTERNAL');
  await server.query(`INSERT INTO known VALUES (1, repeat('x', 5000)); INSERT INTO keyless VALUES (1, 'one')`);
  await using database = openDatabase(server);
  const streams = following([
    await selectNamed(database, 'public.known'),
    await selectNamed(database, 'public.keyless'),
  ]);
  await using log = database.openChangeLog('known');
  const from = await log.prepare(streams);
  await server.query('UPDATE known SET id = 2');
  await server.query('UPDATE known SET id = 2');
  await server.query('UPDATE keyless SET b = NULL; DELETE FROM keyless');
  const { changes } = await followToHead(log, { from, streams });
  const big = 'x'.repeat(5000);
  expect(changes.every(({ unset }) => unset.length === 0)).toBe(true);
  expect(brief(changes.filter(({ stream }) => stream === 'public.known'))).toEqual([
    ['d', 1, big],
    ['c', 2, big],
    ['u', 2, big],
  ]);
  expect(brief(changes.filter(({ stream }) => stream === 'public.keyless'))).toEqual([
    ['d', 1, 'one'],
    ['c', 1, null],
    ['d', 1, null],
  ]);
});
