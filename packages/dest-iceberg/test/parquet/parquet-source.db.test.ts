import path from 'node:path';
import type { Column } from '@fjord/core';
import { createSchema, NAME_MAPPING_PROPERTY, createNameMapping } from '@fjord/iceberg';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { fieldsOf } from './batches.ts';
import { describeFile, openSource, readRecords } from './read-source.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'name', type: 'string', nullable: true },
  { name: 'price', type: 'decimal(9,2)', nullable: true },
  { name: 'at', type: 'timestamptz', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'raw', type: 'binary', nullable: true },
  { name: 'tags', type: { type: 'list', element: 'string' }, nullable: true },
];
const ROWS = 3000;
const expected = Array.from({ length: ROWS }, (_, id) => ({
  id: String(id),
  name: id % 10 === 3 ? null : `n${id % 7}é`,
  price: `${id}.25`,
  at: '2024-02-29T12:00:00.000001Z',
  day: '1969-12-31',
  raw: Buffer.from([id % 256]).toString('base64'),
  tags: id % 2 === 0 ? [`t${id}`, null] : [],
}));

const PREPARE = `
import sys, datetime as dt, decimal
import pyarrow as pa, pyarrow.parquet as pq
n = ${ROWS}
ids = pa.array(range(n), pa.int64())
names = [None if i % 10 == 3 else f'n{i % 7}é' for i in range(n)]
price = pa.array([decimal.Decimal(f'{i}.25') for i in range(n)], pa.decimal128(9, 2))
at = pa.array([dt.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=dt.timezone.utc)] * n, pa.timestamp('us', 'UTC'))
day = pa.array([dt.date(1969, 12, 31)] * n)
raw = pa.array([bytes([i % 256]) for i in range(n)])
tags = pa.array([[f't{i}', None] if i % 2 == 0 else [] for i in range(n)])
def write(name, names, tags=tags, ids=ids, **options):
    table = pa.table({'id': ids, 'name': names, 'price': price, 'at': at, 'day': day, 'raw': raw, 'tags': tags})
    pq.write_table(table, sys.argv[1] + '/' + name, row_group_size=1000, **options)
write('plain', pa.array(names), compression='snappy')
write('dictionary', pa.array(names).dictionary_encode(), compression='gzip', data_page_version='2.0')
write('large', pa.array(names, pa.large_string()), tags.cast(pa.large_list(pa.large_string())), compression='lz4')
write('narrow', pa.array(names), ids=ids.cast(pa.int32()), compression='brotli', store_schema=False)
import duckdb
duckdb.sql(f"""COPY (SELECT i AS id, CASE WHEN i % 10 != 3 THEN 'n' || (i % 7) || 'é' END AS name, (i || '.25')::DECIMAL(9,2) AS price, TIMESTAMPTZ '2024-02-29 12:00:00.000001Z' AS "at", DATE '1969-12-31' AS "day", from_hex(lpad(to_hex(i % 256), 2, '0')) AS raw, CASE WHEN i % 2 = 0 THEN ['t' || i, NULL] ELSE [] END AS tags FROM range(n) t(i)) TO '{sys.argv[1]}/duckdb' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {{id: 1, name: 2, price: 3, "at": 4, "day": 5, raw: 6, tags: {{__duckdb_field_id: 7, element: 8}}}})""".replace('range(n)', f'range({n})'))`;

test('reads files of PyArrow, by name where they have no field ids, and of DuckDB', async () => {
  await using folder = await temporaryFolder('foreign');
  await runPython(PREPARE, [folder.path]);
  const fields = fieldsOf(COLUMNS);
  const mapping = createNameMapping(createSchema(COLUMNS.map(({ name }) => ({ name, type: 'int' as const }))));
  const byName = mapping.map((field) => ({
    ...field,
    'field-id': fields.find(({ name }) => field.names.includes(name))!.id,
  }));
  const properties = { [NAME_MAPPING_PROPERTY]: JSON.stringify(byName) };
  for (const name of ['plain', 'dictionary', 'large', 'narrow', 'duckdb']) {
    const file = await describeFile(path.join(folder.path, name), ROWS);
    await using source = await openSource(file, properties);
    const { records } = await readRecords(source, { columns: COLUMNS, fields });
    expect(records, name).toEqual(expected);
    const [first, second] = [fields[0]!, COLUMNS[0]!];
    const ids = await readRecords(source, { columns: [second], fields: [first], rowGroup: 0 });
    expect(ids.records, name).toEqual(expected.slice(0, source.rowGroups[0]!.rows).map(({ id }) => ({ id })));
  }
});

test('refuses values that the table has no room for', async () => {
  await using folder = await temporaryFolder('foreign');
  await runPython(
    `import sys, pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({'id': pa.array([1], pa.uint64())}), sys.argv[1] + '/a')`,
    [folder.path],
  );
  const fields = fieldsOf(COLUMNS.slice(0, 1));
  const properties = { [NAME_MAPPING_PROPERTY]: JSON.stringify([{ 'field-id': 1, names: ['id'] }]) };
  await using source = await openSource(await describeFile(path.join(folder.path, 'a'), 1), properties);
  const read = readRecords(source, { columns: COLUMNS.slice(0, 1), fields });
  await expect(read).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('"id"') });
});
