import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, readWithPyIceberg, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

async function sync(pipeline: Pipeline): Promise<void> {
  const { exitCode, stderr } = await pipeline.sync();
  expect(exitCode, stderr).toBe(0);
}

test('a column that is renamed between two loads is renamed in the table, or not where the stream says so', async () => {
  for (const onRename of ['rename', 'new-column'] as const) {
    await using folder = await temporaryFolder('fjord-renamed');
    await postgres.query(
      `DROP TABLE IF EXISTS loaded; CREATE TABLE loaded (a int, b text); INSERT INTO loaded VALUES (1, 'one')`,
    );
    const pipeline = new Pipeline(folder.path, postgres, {
      id: `loaded-${onRename}`,
      match: ['public.loaded'],
      stream: { syncMode: 'incremental', cursor: 'a', onRename },
    });
    await sync(pipeline);
    await postgres.query(`ALTER TABLE loaded RENAME COLUMN b TO c; INSERT INTO loaded VALUES (2, 'two')`);
    await sync(pipeline);
    const { metadataLocation } = await pipeline.table('public', 'loaded');
    const { columns, rows } = await readWithPyIceberg({ metadataLocation });
    expect(columns.map(({ name }) => name)).toEqual(onRename === 'rename' ? ['a', 'c'] : ['a', 'b', 'c']);
    expect(sortRows(rows)).toEqual(
      onRename === 'rename'
        ? [
            ['1', 'one'],
            ['2', 'two'],
          ]
        : [
            ['1', 'one', null],
            ['2', null, 'two'],
          ],
    );
  }
});
