import { catalogPython, mustRun } from '@fjord/test-harness';
import { Int64, Utf8 } from 'apache-arrow';
import { expect } from 'vitest';
import { type Catalog, type TableIdentifier, commitTable, planFiles, stageSnapshot } from '../../src/index.ts';
import { writeParquet } from '../parquet-file.ts';
import { ORDER_SCHEMA, reload } from '../warehouse.ts';

const SCRIPT = `
import json, sys
import pyarrow as pa
from pyiceberg.catalog import load_catalog
request = json.load(sys.stdin)
catalog = load_catalog('default', **request['properties'])
table = catalog.load_table(tuple(request['table']))
before = table.scan().to_arrow().to_pylist()
schema = pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('name', pa.string())])
table.append(pa.table({'id': [2], 'name': ['theirs']}, schema=schema))
after = sorted(catalog.load_table(tuple(request['table'])).scan().to_arrow().to_pylist(), key=lambda row: row['id'])
listed = [list(name) for name in catalog.list_tables(request['table'][0])]
print(json.dumps([before, after, listed]))`;

/** Makes a table in a catalog, appends, lets PyIceberg read, append and list by its own client of the catalog, and goes on after it. */
export async function appendWithPyIceberg(
  catalog: Catalog,
  properties: Record<string, string>,
  orders: TableIdentifier = { namespace: ['foreign'], name: 'orders' },
): Promise<void> {
  await catalog.createNamespace(orders.namespace);
  await catalog.createTable(orders, { schema: ORDER_SCHEMA });
  const append = (id: bigint) =>
    commitTable(catalog, orders, async (table) => {
      const columns = [
        { id: 1, name: 'id', type: new Int64(), values: [id] },
        { id: 2, name: 'name', type: new Utf8(), values: ['ours'] },
      ];
      return stageSnapshot(table, { append: [await writeParquet(table, `f${id}`, columns)] });
    });
  await append(1n);
  const table = [...orders.namespace, orders.name];
  const { stdout } = await mustRun(await catalogPython(), ['-c', SCRIPT], {
    input: JSON.stringify({ properties, table }),
  });
  const [ours, theirs] = [
    { id: 1, name: 'ours' },
    { id: 2, name: 'theirs' },
  ];
  expect(JSON.parse(stdout)).toEqual([[ours], [ours, theirs], [table]]);
  await append(3n);
  const files = await Array.fromAsync(planFiles(await reload(catalog, orders)));
  expect(files.map(({ file }) => file.recordCount)).toEqual([1n, 1n, 1n]);
}
