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
