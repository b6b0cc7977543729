import { runPython } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import {
  type Catalog,
  commitTable,
  openSqlCatalog,
  planFiles,
  readManifestList,
  snapshotOfRef,
  stageSnapshot,
} from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

const OURS = 400;
const THEIRS = 200;

test('of a thousand commits by two of our writers and PyIceberg at once none is lost, and none is made twice', async () => {
  await using warehouse = await openWarehouse();
  await using other = await openSqlCatalog({ uri: warehouse.uri, warehouse: warehouse.path });
  await warehouse.catalog.createTable(ORDERS, {
    schema: ORDER_SCHEMA,
    properties: { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '20' },
  });
  const append = async (catalog: Catalog, prefix: string) => {
    for (let index = 0; index < OURS; index++) {
      const file = dataFile(`${prefix}${index}`);
      const properties = { [`done.${prefix}`]: String(index) };
      await commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [file], properties }), {
        maxAttempts: 1000,
        maxDelayMs: 200,
      });
    }
  };
  const pyiceberg = runPython(
    `
import sys, random, time
import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException
catalog = load_catalog('default', type='sql', uri=sys.argv[1])
for i in range(${THEIRS}):
    while True:
        try:
            table = catalog.load_table('shop.orders')
            table.append(pa.table({'id': pa.array([i], pa.int64()), 'name': pa.array(['py'])}, schema=pa.schema([pa.field('id', pa.int64(), False), pa.field('name', pa.string())])))
            break
        except (CommitFailedException, FileNotFoundError):
            time.sleep(random.random() / 20)
`,
    [warehouse.uri],
  );
  await Promise.all([append(warehouse.catalog, 'a'), append(other, 'b'), pyiceberg]);
  const table = await reload(warehouse.catalog);
  const files = await Array.fromAsync(planFiles(table), ({ file }) => file.filePath);
  const ours = ['a', 'b'].flatMap((prefix) => Array.from({ length: OURS }, (_, index) => `/data/${prefix}${index}`));
  expect(new Set(files).size).toBe(files.length);
  expect(files.filter((path) => path.startsWith('/data/')).toSorted()).toEqual(ours.toSorted());
  expect(files).toHaveLength(2 * OURS + THEIRS);
  const { metadata } = table;
  expect(metadata.properties).toMatchObject({ 'done.a': String(OURS - 1), 'done.b': String(OURS - 1) });
  expect(metadata.snapshots).toHaveLength(2 * OURS + THEIRS);
  expect(metadata['last-sequence-number']).toBe(BigInt(2 * OURS + THEIRS));
  expect(metadata['metadata-log']).toHaveLength(20);
  // PyIceberg adds a manifest each time, and may have been alone at the end: our next commit merges them.
  const next = await commitTable(warehouse.catalog, ORDERS, (now) =>
    stageSnapshot(now, { append: [dataFile('next')] }),
  );
  expect((await readManifestList(next.io, snapshotOfRef(next.metadata)!)).length).toBeLessThanOrEqual(100);
  expect(await Array.fromAsync(planFiles(next))).toHaveLength(2 * OURS + THEIRS + 1);
});
