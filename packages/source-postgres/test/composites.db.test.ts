import { formatColumnType } from '@fjord/core';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

test('a composite that is altered between chunks is planned anew', async () => {
  await server.query(`
    CREATE TYPE part AS (a int, gone int, b text);
    ALTER TYPE part DROP ATTRIBUTE gone;
    CREATE TABLE parts (id int PRIMARY KEY, part part);
    INSERT INTO parts VALUES (1, ROW(7, 'seven'))`);
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.parts');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const [row] = await readRows(database, stream, { plan });
  expect(JSON.parse(JSON.stringify(row))).toEqual({ id: 1, part: { a: 7, b: 'seven' } });

  await server.query('ALTER TYPE part ADD ATTRIBUTE c int');
  await expect(readRows(database, stream, { plan })).rejects.toMatchObject({ code: 'plan_outdated' });
  const found = await selectNamed(database, 'public.parts');
  expect(found.columns.map(({ type }) => formatColumnType(type))).toEqual(['int', 'struct<a: int, b: string, c: int>']);
  const newPlan = await database.planChunks(found, planRequest(1 << 30));
  const [newRow] = await readRows(database, found, { plan: newPlan });
  expect(JSON.parse(JSON.stringify(newRow))).toEqual({ id: 1, part: { a: 7, b: 'seven', c: null } });
});
