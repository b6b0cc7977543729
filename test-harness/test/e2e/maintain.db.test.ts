import { afterAll, beforeAll, expect, test } from 'vitest';
import { planFiles } from '@fjord/iceberg';
import { type PostgresServer, readWithPostgres, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres({ databases: ['shop'] });
  for (const name of ['a', 'b']) await postgres.query(`CREATE TABLE ${name} (id bigint PRIMARY KEY, v int NOT NULL)`);
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test('fjord maintain compacts what many syncs wrote, the streams asked for alone, and the next sync goes on', async () => {
  await using folder = await temporaryFolder('fjord-maintain');
  const pipeline = new Pipeline(folder.path, postgres, {
    stream: { syncMode: 'incremental', cursor: ['id'] },
    destination: { maintenance: { snapshotAgeHours: 0, snapshotsToKeep: 1, minInputFiles: 2 } },
  });
  const grow = async (round: number) => {
    for (const name of ['a', 'b']) {
      await postgres.query(
        `INSERT INTO ${name} SELECT i, i % 7 FROM generate_series(${round * 100}, ${round * 100 + 99}) i`,
      );
    }
    expect((await pipeline.sync()).exitCode).toBe(0);
  };
  for (let round = 0; round < 3; round++) await grow(round);
  const dry = await pipeline.run('maintain', '--stream', '*.a', '--dry-run');
  expect([dry.exitCode, dry.lines.filter(({ type }) => type === 'MAINTENANCE')]).toEqual([
    0,
    [
      expect.objectContaining({
        stream: expect.stringContaining('a'),
        dryRun: true,
        rewrittenFiles: 3,
        newFiles: 1,
        orphans: [],
      }),
    ],
  ]);
  const done = await pipeline.run('maintain', '--stream', '*.a');
  expect(done.lines).toMatchObject([{ type: 'MAINTENANCE', dryRun: false, rewrittenFiles: 3, newFiles: 1 }]);
  const filesOf = async (name: string) =>
    (await Array.fromAsync(planFiles(await pipeline.table('public', name)))).length;
  expect([await filesOf('a'), await filesOf('b')]).toEqual([1, 3]);
  await grow(3);
  const expected = sortRows((await readWithPostgres(postgres, 'SELECT id, v FROM a')).rows);
  for (const reader of ['duckdb', 'pyiceberg'] as const)
    expect((await pipeline.read(reader, 'a')).rows).toEqual(expected);
  const wrong = await pipeline.run('maintain', '--stream', 'nobody');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('nobody')]);
});
