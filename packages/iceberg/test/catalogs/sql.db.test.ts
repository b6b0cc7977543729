import { runPython } from '@fjord/test-harness';
import { Int64, Utf8 } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import {
  type Table,
  type TableIdentifier,
  commitTable,
  createSchema,
  planFiles,
  stageSnapshot,
  stageSwap,
} from '../../src/index.ts';
import { type TestColumn, writeParquet } from '../parquet-file.ts';
import { ORDERS, ORDER_SCHEMA, openWarehouse, reload } from '../warehouse.ts';

const ODD_NAMES: [string, TableIdentifier][] = [
  ['a space and upper case', { namespace: ['My Shop'], name: 'Order Items' }],
  ['quotes', { namespace: ["o'clock"], name: 'say "hi"' }],
  ['dots in the table and two levels', { namespace: ['a', 'b'], name: 'v1.2.orders' }],
  ['emoji and umlauts', { namespace: ['größe'], name: '🐟 table' }],
  ['characters of URIs', { namespace: ['50%'], name: 'a/b?c#d&e=f:g\\h' }],
];

const orders = (ids: bigint[], names: (string | null)[]): TestColumn[] => [
  { id: 1, name: 'id', type: new Int64(), values: ids },
  { id: 2, name: 'name', type: new Utf8(), values: names },
];

/** Opens the catalog as PyIceberg's SqlCatalog in `catalog`, with DuckDB in `duck`, and runs the body; it prints JSON. */
async function withPyIceberg(uri: string, body: string, args: string[] = []): Promise<unknown> {
  const script = `
import json, sys
import duckdb, pyarrow as pa
from duckdb_extensions import import_extension
from pyiceberg.catalog import load_catalog
import_extension('avro'); import_extension('iceberg')
duck = duckdb.connect(); duck.execute('LOAD avro; LOAD iceberg')
catalog = load_catalog('default', type='sql', uri=sys.argv[1])
args = sys.argv[2:]
def scan(location): return duck.execute(f"SELECT * FROM iceberg_scan('{location}') ORDER BY 1").fetchall()
def rows(table): return sorted(table.scan().to_arrow().to_pylist(), key=lambda row: list(row.values())[0])
${body}`;
  const { stdout } = await runPython(script, [uri, ...args]);
  return JSON.parse(stdout);
}

async function append(
  warehouse: Awaited<ReturnType<typeof openWarehouse>>,
  name: string,
  columns: TestColumn[],
  branch?: string,
): Promise<Table> {
  return commitTable(warehouse.catalog, ORDERS, async (table) => {
    return stageSnapshot(table, { append: [await writeParquet(table, name, columns)], branch });
  });
}

describe('PyIceberg and DuckDB', () => {
  test('read what was appended, removed and swapped', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties: { 'fjord.state.p.s': '{"a":1}' } });
    await append(warehouse, 'a', orders([1n, 2n], ['one', null]));
    await append(warehouse, 'b', orders([3n], ['three']));
    await append(warehouse, 'c', orders([9n], ['staged']), 'stage');
    const read = `
table = catalog.load_table('shop.orders')
print(json.dumps([rows(table), scan(table.metadata_location), table.properties, [i for i in table.schema().identifier_field_ids], sorted(table.metadata.refs)]))`;
    const before = [
      { id: 1, name: 'one' },
      { id: 2, name: null },
      { id: 3, name: 'three' },
    ];
    const tuples = before.map(({ id, name }) => [id, name]);
    expect(await withPyIceberg(warehouse.uri, read)).toEqual([
      before,
      tuples,
      { 'fjord.state.p.s': '{"a":1}' },
      [1],
      ['main', 'stage'],
    ]);

    await commitTable(catalog, ORDERS, (table) =>
      stageSnapshot(table, { remove: (file) => file.filePath.endsWith('/a.parquet') }),
    );
    expect(await withPyIceberg(warehouse.uri, read)).toMatchObject([
      [{ id: 3, name: 'three' }],
      [[3, 'three']],
      {},
      [1],
      ['main', 'stage'],
    ]);
    await commitTable(catalog, ORDERS, (table) => stageSwap(table, { branch: 'stage', remove: 'all' }));
    expect(await withPyIceberg(warehouse.uri, read)).toMatchObject([
      [{ id: 9, name: 'staged' }],
      [[9, 'staged']],
      {},
      [1],
      ['main'],
    ]);
    await append(warehouse, 'd', orders([10n], ['after']));
    expect(await withPyIceberg(warehouse.uri, read)).toMatchObject([
      [{ id: 9 }, { id: 10 }],
      [
        [9, 'staged'],
        [10, 'after'],
      ],
      {},
      [1],
      ['main'],
    ]);
  });

  test('read a table without a snapshot as empty', async () => {
    await using warehouse = await openWarehouse();
    await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    const read = `
table = catalog.load_table('shop.orders')
print(json.dumps([rows(table), scan(table.metadata_location), catalog.list_tables('shop')]))`;
    expect(await withPyIceberg(warehouse.uri, read)).toEqual([[], [], [['shop', 'orders']]]);
  });

  test.each(ODD_NAMES)('find and read tables and columns whose names have %s', async (_what, identifier) => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await catalog.createNamespace(identifier.namespace);
    const schema = createSchema([
      { name: identifier.name, type: 'long' },
      { name: identifier.namespace.join('.'), type: 'string' },
    ]);
    await catalog.createTable(identifier, { schema });
    await commitTable(catalog, identifier, async (table) => {
      const columns = orders([5n], ['five']).map((column, index) => ({
        ...column,
        name: schema.fields[index]?.name ?? '',
      }));
      return stageSnapshot(table, { append: [await writeParquet(table, 'a', columns)] });
    });
    const read = `
table = catalog.load_table((args[0], args[1]))
print(json.dumps([rows(table), scan(table.metadata_location), catalog.list_tables(args[0])]))`;
    const namespace = identifier.namespace.join('.');
    expect(await withPyIceberg(warehouse.uri, read, [namespace, identifier.name])).toEqual([
      [{ [identifier.name]: 5, [namespace]: 'five' }],
      [[5, 'five']],
      [[...identifier.namespace, identifier.name]],
    ]);
  });
});

describe('PyIceberg', () => {
  test('appends to our table and we read and extend what it wrote', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    await append(warehouse, 'a', orders([1n], ['ours']));
    const grow = `
table = catalog.load_table('shop.orders')
table.append(pa.table({'id': pa.array([2, 3], pa.int64()), 'name': ['x', None]}, schema=pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('name', pa.string())])))
print(json.dumps(rows(catalog.load_table('shop.orders'))))`;
    expect(await withPyIceberg(warehouse.uri, grow)).toEqual([
      { id: 1, name: 'ours' },
      { id: 2, name: 'x' },
      { id: 3, name: null },
    ]);
    const table = await reload(catalog);
    const files = await Array.fromAsync(planFiles(table));
    expect(files.map(({ file, sequenceNumber }) => `${file.recordCount} rows of ${sequenceNumber}`).toSorted()).toEqual(
      ['1 rows of 1', '2 rows of 2'],
    );
    const theirs = files.find(({ file }) => file.recordCount === 2n)?.file;
    expect(theirs?.valueCounts).toEqual(
      new Map([
        [1, 2n],
        [2, 2n],
      ]),
    );
    expect(theirs?.nullValueCounts).toEqual(
      new Map([
        [1, 0n],
        [2, 1n],
      ]),
    );
    expect(theirs?.lowerBounds?.get(1)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0));

    await append(warehouse, 'b', orders([4n], ['again']));
    await commitTable(catalog, ORDERS, (now) =>
      stageSnapshot(now, { remove: (file) => file.filePath === theirs?.filePath }),
    );
    const read = `print(json.dumps(rows(catalog.load_table('shop.orders'))))`;
    expect(await withPyIceberg(warehouse.uri, read)).toEqual([
      { id: 1, name: 'ours' },
      { id: 4, name: 'again' },
    ]);
  });

  test('creates a partitioned, sorted table that we load, rewrite and leave intact', async () => {
    await using warehouse = await openWarehouse();
    const make = `
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortOrder, SortField
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField, LongType, StringType
schema = Schema(NestedField(1, 'id', LongType()), NestedField(2, 'kind', StringType()))
spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), 'kind'))
order = SortOrder(SortField(1, IdentityTransform()))
table = catalog.create_table('shop.orders', schema, location=args[0] + '/theirs', partition_spec=spec, sort_order=order)
table.append(pa.table({'id': [1, 2, 3], 'kind': ['a', 'b', None]}))
print(json.dumps(len(list(table.scan().plan_files()))))`;
    expect(await withPyIceberg(warehouse.uri, make, [warehouse.path])).toBe(3);
    const table = await reload(warehouse.catalog);
    const files = await Array.fromAsync(planFiles(table));
    expect(new Set(files.map(({ file }) => file.partition?.get(1000)))).toEqual(new Set(['a', 'b', null]));
    const isB = (partition?: ReadonlyMap<number, unknown>) => partition?.get(1000) === 'b';
    await commitTable(warehouse.catalog, ORDERS, (now) =>
      stageSnapshot(now, { remove: (file) => isB(file.partition) }),
    );
    const read = `
table = catalog.load_table('shop.orders')
print(json.dumps([rows(table), rows_where(table), scan(table.metadata_location), str(table.spec().fields[0].transform), len(table.sort_order().fields)]))`;
    const where = `
def rows_where(table): return table.scan(row_filter="kind = 'a'").to_arrow().to_pylist()`;
    const [one, three] = [
      { id: 1, kind: 'a' },
      { id: 3, kind: null },
    ];
    expect(await withPyIceberg(warehouse.uri, where + read)).toEqual([
      [one, three],
      [one],
      [
        [1, 'a'],
        [3, null],
      ],
      'identity',
      1,
    ]);
  });

  test('loses nothing when it and we commit to one table at the same time', async () => {
    await using warehouse = await openWarehouse();
    await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    const theirs = withPyIceberg(
      warehouse.uri,
      `
from pyiceberg.exceptions import CommitFailedException
done = 0
while done < 8:
    table = catalog.load_table('shop.orders')
    try:
        table.append(pa.table({'id': pa.array([100 + done], pa.int64()), 'name': ['x']}, schema=pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('name', pa.string())])))
        done += 1
    except CommitFailedException: pass
print(json.dumps(done))`,
    );
    // Python takes seconds to start: ours begin once its first commit is in, and are few enough not to starve it.
    await expect
      .poll(async () => (await reload(warehouse.catalog)).metadata.snapshots.length, { timeout: 60_000 })
      .toBeGreaterThan(0);
    for (let round = 0; round < 20; round++) await append(warehouse, `f${round}`, orders([BigInt(round)], ['ours']));
    expect(await theirs).toBe(8);
    const files = await Array.fromAsync(planFiles(await reload(warehouse.catalog)));
    expect(files.filter(({ file }) => /\/f\d+\.parquet$/.test(file.filePath))).toHaveLength(20);
    expect(files).toHaveLength(28);
  });
});
