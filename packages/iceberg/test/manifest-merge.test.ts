import { expect, test } from 'vitest';
import { commitTable, planFiles, readManifestList, snapshotOfRef, stageSnapshot } from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

test('small manifests are merged once there are enough of them, and every file stays with its numbers', async () => {
  await using warehouse = await openWarehouse();
  const properties = { 'commit.manifest.min-count-to-merge': '5' };
  await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties });
  let most = 0;
  for (let index = 0; index < 23; index++) {
    const table = await commitTable(warehouse.catalog, ORDERS, (fresh) =>
      stageSnapshot(fresh, { append: [dataFile(`${index}.parquet`, { recordCount: BigInt(index + 1) })] }),
    );
    const manifests = await readManifestList(table.io, snapshotOfRef(table.metadata)!);
    most = Math.max(most, manifests.length);
  }
  expect(most).toBe(5);
  const table = await reload(warehouse.catalog);
  const planned = await Array.fromAsync(planFiles(table));
  expect(new Map(planned.map(({ file, sequenceNumber }) => [file.filePath, sequenceNumber]))).toEqual(
    new Map(Array.from({ length: 23 }, (_, index) => [`/data/${index}.parquet`, BigInt(index + 1)])),
  );
  expect(snapshotOfRef(table.metadata)?.summary).toMatchObject({ operation: 'append', 'total-data-files': '23' });
});

test('nothing is merged where the table says so', async () => {
  await using warehouse = await openWarehouse();
  const properties = { 'commit.manifest.min-count-to-merge': '2', 'commit.manifest-merge.enabled': 'false' };
  await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties });
  for (const name of ['a', 'b', 'c'])
    await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile(name)] }));
  const table = await reload(warehouse.catalog);
  expect(await readManifestList(table.io, snapshotOfRef(table.metadata)!)).toHaveLength(3);
});
