import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres({ databases: ['moving', 'modes'] });
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test('rule 3: rows updated, moved, deleted and added during the load leave the snapshot as it was', async () => {
  await postgres.query('CREATE TABLE moving (id int PRIMARY KEY, v int, pad text)', [], 'moving');
  await postgres.query(
    "INSERT INTO moving SELECT g, 0, repeat('x', 200) FROM generate_series(1, 200000) g",
    [],
    'moving',
  );
  await using folder = await temporaryFolder('fjord-moving');
  const pipeline = new Pipeline(folder.path, postgres, { source: { database: 'moving', chunkMB: 1 } });
  let isDone = false;
  const client = await postgres.client('moving');
  const changes = (async () => {
    for (let round = 0; !isDone; round++) {
      // Each transaction keeps the sum of v at 0 and the number of rows at 200,000.
      await client.query('BEGIN');
      await client.query('UPDATE moving SET v = v + 1 WHERE id % 97 = $1', [round % 97]);
      await client.query(
        'UPDATE moving SET v = v - (SELECT sum(v) FROM moving) WHERE id = (SELECT min(id) FROM moving)',
      );
      await client.query('DELETE FROM moving WHERE id = (SELECT max(id) FROM moving) AND v = 0');
      await client.query("INSERT INTO moving SELECT 1000000 + $1, 0, '' WHERE (SELECT count(*) FROM moving) < 200000", [
        round,
      ]);
      await client.query('COMMIT');
    }
  })();
  const result = await pipeline.sync();
  isDone = true;
  await changes;
  await client.end();
  expect(result.exitCode, result.stderr).toBe(0);
  const { rows } = await pipeline.read('duckdb', 'moving');
  expect(rows.length).toBe(200_000);
  expect(new Set(rows.map(([id]) => id)).size).toBe(200_000);
  expect(rows.reduce((sum, [, v]) => sum + Number(v), 0)).toBe(0);
});

test('append: a second sync changes nothing; overwrite: it replaces the rows in one commit', async () => {
  await postgres.query('CREATE TABLE t (id int PRIMARY KEY)', [], 'modes');
  await postgres.query('INSERT INTO t SELECT generate_series(1, 10)', [], 'modes');
  for (const writeMode of ['append', 'overwrite'] as const) {
    await using folder = await temporaryFolder('fjord-modes');
    const pipeline = new Pipeline(folder.path, postgres, { writeMode, source: { database: 'modes' } });
    expect((await pipeline.sync()).exitCode).toBe(0);
    const before = await pipeline.table('public', 't');
    await postgres.query('UPDATE t SET id = id + 100', [], 'modes');
    const second = await pipeline.sync();
    expect(second.exitCode, second.stderr).toBe(0);
    const after = await pipeline.table('public', 't');
    const expected =
      writeMode === 'append' ? before.metadataLocation : expect.not.stringContaining(before.metadataLocation);
    expect(after.metadataLocation).toEqual(expected);
    const source = await postgres.query<{ id: string }>('SELECT id::text FROM t', [], 'modes');
    const rows =
      writeMode === 'append' ? source.map(({ id }) => [String(Number(id) - 100)]) : source.map(({ id }) => [id]);
    expect((await pipeline.read('pyiceberg', 't')).rows).toEqual(sortRows(rows));
  }
});

test.each([
  ['a wrong password', { password: 'canary-wrong-7' }, {}, 2, 'authentication_failed'],
  ['a database that is not there', {}, { database: 'nowhere' }, 2, 'config_invalid'],
  ['a port where nobody listens', {}, { port: 1 }, 3, 'source_unreachable'],
  ['a pattern that matches nothing', { match: ['nothing.*'] }, {}, 2, 'no_stream_matches'],
] as const)(
  'rule 18: %s ends with a message, a fix, its exit code and no secret',
  async (_, options, source, exitCode, code) => {
    await using folder = await temporaryFolder('fjord-faults');
    const pipeline = new Pipeline(folder.path, postgres, {
      ...options,
      match: [...('match' in options ? options.match : ['public.*'])],
      source: { database: 'modes', ...source },
    });
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(exitCode);
    expect(result.lines.findLast(({ type }) => type === 'ERROR')).toMatchObject({
      code,
      help: expect.stringMatching(/\w/),
    });
    for (const secret of ['canary-wrong-7', postgres.password])
      expect(result.stdout + result.stderr).not.toContain(secret);
  },
);
