import { expect, test } from 'vitest';
import {
  commitTable,
  createSchema,
  newTableMetadata,
  parseTableMetadata,
  planFiles,
  readManifest,
  readManifestList,
  serializeTableMetadata,
  snapshotOfRef,
  stageSnapshot,
} from '../src/index.ts';
import { applyUpdates } from '../src/table-update.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

test('version 3 gives each row an id, which stays with it when its manifest is written anew', async () => {
  await using warehouse = await openWarehouse();
  const { catalog } = warehouse;
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties: { 'format-version': '3' } });
  const append = (...files: [string, bigint][]) =>
    commitTable(catalog, ORDERS, (table) =>
      stageSnapshot(table, { append: files.map(([name, recordCount]) => dataFile(name, { recordCount })) }),
    );
  await append(['a', 10n], ['b', 5n]);
  await append(['c', 7n]);
  const table = await reload(catalog);
  expect(table.metadata).toMatchObject({ 'format-version': 3, 'next-row-id': 22n });
  expect(table.metadata.properties).not.toHaveProperty('format-version');
  expect(table.metadata.snapshots.map((snapshot) => [snapshot['first-row-id'], snapshot['added-rows']])).toEqual([
    [0n, 15n],
    [15n, 7n],
  ]);
  const ids = async () =>
    Object.fromEntries(
      await Array.fromAsync(planFiles(await reload(catalog)), ({ file }) => [file.filePath, file.firstRowId]),
    );
  expect(await ids()).toEqual({ '/data/a': 0n, '/data/b': 10n, '/data/c': 15n });
  await commitTable(catalog, ORDERS, (fresh) =>
    stageSnapshot(fresh, { remove: (file) => file.filePath === '/data/a' }),
  );
  expect(await ids()).toEqual({ '/data/b': 10n, '/data/c': 15n });
  expect((await reload(catalog)).metadata['next-row-id']).toBeGreaterThanOrEqual(22n);
});

test('a table of version 2 that is upgraded gives ids to the rows that it has', async () => {
  await using warehouse = await openWarehouse();
  const { catalog } = warehouse;
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  await commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('a')] }));
  await commitTable(catalog, ORDERS, () => ({
    requirements: [],
    updates: [{ action: 'upgrade-format-version', 'format-version': 3 }],
  }));
  const table = await commitTable(catalog, ORDERS, (fresh) => stageSnapshot(fresh, { append: [dataFile('b')] }));
  expect(table.metadata['next-row-id']).toBe(20n);
  const manifests = await readManifestList(table.io, snapshotOfRef(table.metadata)!);
  const entries = await Promise.all(manifests.map((manifest) => readManifest(table.io, manifest)));
  const ids = entries.flatMap((manifest) => manifest.entries.map(({ file }) => file.firstRowId));
  expect(new Set(ids)).toEqual(new Set([0n, 10n]));
});

test('types of version 3 are refused in a table of version 2', () => {
  const schema = createSchema([{ name: 'at', type: 'timestamp_ns' }]);
  expect(() => newTableMetadata({ location: '/t', schema })).toThrow(/"at" is timestamp_ns, which needs .* version 3/);
  expect(newTableMetadata({ location: '/t', schema, properties: { 'format-version': '3' } })).toMatchObject({
    'next-row-id': 0n,
  });
});

test('a table of version 1 is upgraded: ids are given to its partition fields, and its older fields go', () => {
  const text = JSON.stringify({
    'format-version': 1,
    location: '/t',
    'last-updated-ms': 1,
    'last-column-id': 1,
    schema: { type: 'struct', fields: [{ id: 1, name: 'id', required: false, type: 'long' }] },
    'partition-spec': [{ 'source-id': 1, name: 'id_bucket', transform: 'bucket[4]' }],
  });
  const upgraded = applyUpdates(parseTableMetadata(text), [{ action: 'upgrade-format-version', 'format-version': 2 }]);
  const json = JSON.parse(serializeTableMetadata(upgraded));
  expect(json).toMatchObject({
    'format-version': 2,
    'last-partition-id': 1000,
    'partition-specs': [{ fields: [{ 'field-id': 1000 }] }],
  });
  expect(Object.keys(json)).not.toEqual(expect.arrayContaining(['schema', 'partition-spec']));
});
