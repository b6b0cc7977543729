import { findConfigProblems } from '@fjord/core/config';
import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { type Config, ConfigSchema } from '../src/config.ts';
import { folderOf } from '../src/parquet-folder.ts';
import { findProblems } from '../src/prerequisites.ts';
import { runQuery } from '../src/reading/query.ts';
import { sumTables } from '../src/reading/sum-tables.ts';

/** A config of plain files as the runtime hands it over: checked, with defaults. */
function plainFiles(warehouse: string): Config {
  const filled = { format: 'parquet', warehouse };
  expect(findConfigProblems(ConfigSchema, filled)).toEqual([]);
  return filled as unknown as Config;
}

const CONTEXT = { signal: new AbortController().signal, log: () => {}, report: () => {}, progress: () => {} };

test('a table is read beside the folder that notes it', () => {
  expect(folderOf({ location: 's3://lake/_fjord/of us/_fjord/shop/orders' })).toBe(
    's3://lake/_fjord/of us/shop/orders',
  );
});

test('verbs that read rows by a table are refused with where to read them', async () => {
  await using folder = await temporaryFolder('fjord-plain');
  const request = { config: plainFiles(folder.path), pipeline: 'p', streams: [], memoryBytes: 1e8 };
  const refused = { code: 'unsupported', help: expect.stringContaining('read_parquet') };
  await expect(Array.fromAsync(runQuery({ ...request, sql: 'SELECT 1' }, CONTEXT))).rejects.toMatchObject(refused);
  await expect(Array.fromAsync(sumTables({ ...request, sums: {} }, CONTEXT))).rejects.toMatchObject(refused);
});

test('what plain files need is looked at, and no catalog is asked for', async () => {
  await using folder = await temporaryFolder('fjord-plain');
  expect(await findProblems(plainFiles(folder.path))).toEqual([]);
  const problems = await findProblems(plainFiles('/proc/none'));
  expect(problems).toMatchObject([{ fix: 'Give this user read, write, list and delete rights on the warehouse.' }]);
});
