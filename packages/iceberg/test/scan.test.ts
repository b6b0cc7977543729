import { expect, test } from 'vitest';
import { type DataFile, commitTable, planFiles, stageSnapshot } from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

const position = (name: string, over: Partial<DataFile> = {}) =>
  dataFile(name, { content: 'position-deletes', ...over });
const equality = (name: string, over: Partial<DataFile> = {}) =>
  dataFile(name, { content: 'equality-deletes', equalityIds: [1], ...over });

async function planned(commits: DataFile[][], partitioned = false): Promise<Record<string, string[]>> {
  await using warehouse = await openWarehouse();
  const fields = [{ 'source-id': 1, 'field-id': 1000, name: 'id', transform: 'identity' }];
  await warehouse.catalog.createTable(ORDERS, {
    schema: ORDER_SCHEMA,
    ...(partitioned ? { partitionSpec: { 'spec-id': 0, fields } } : {}),
  });
  for (const append of commits)
    await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append }));
  const files = await Array.fromAsync(planFiles(await reload(warehouse.catalog)));
  return Object.fromEntries(
    files.map(({ file, deletes }) => [file.filePath, deletes.map((item) => item.filePath).toSorted()]),
  );
}

test('a table without a snapshot has no files', async () => {
  expect(await planned([])).toEqual({});
});

test('position deletes hit files of their own commit and older, equality deletes only older ones', async () => {
  expect(await planned([[dataFile('1')], [dataFile('2'), position('p'), equality('e')], [dataFile('3')]])).toEqual({
    '/data/1': ['/data/e', '/data/p'],
    '/data/2': ['/data/p'],
    '/data/3': [],
  });
});

test('a position delete file that names its data file is attached to that one alone', async () => {
  expect(await planned([[dataFile('1'), dataFile('2'), position('p', { referencedDataFile: '/data/2' })]])).toEqual({
    '/data/1': [],
    '/data/2': ['/data/p'],
  });
});

test('deletes stay within their partition', async () => {
  const [one, two] = [new Map([[1000, 1n]]), new Map([[1000, 2n]])];
  const data = [dataFile('1', { partition: one }), dataFile('2', { partition: two })];
  expect(await planned([data, [position('p', { partition: one }), equality('e', { partition: two })]], true)).toEqual({
    '/data/1': ['/data/p'],
    '/data/2': ['/data/e'],
  });
});
