import type { Column } from '@fjord/core';
import { readWithDuckDB, readWithPyIceberg, runPython, sortRows, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

const column = (name: string, type: Column['type'], nullable = true): Column => ({ name, type, nullable });
const nested = (...fields: { name: string; type: Column['type'] }[]): Column['type'] => ({
  type: 'list',
  element: { type: 'struct', fields },
});

const BEFORE = [
  column('id', 'int', false),
  column('price', 'decimal(9,2)', false),
  column('ratio', 'float'),
  column('gone', 'string', false),
  column('kind', 'int'),
  column('items', nested({ name: 'n', type: 'int' })),
];
const AFTER = [
  column('id', 'long', false),
  column('price', 'decimal(20,2)'),
  column('ratio', 'double'),
  column('kind', 'string'),
  column('items', nested({ name: 'label', type: 'string' }, { name: 'n', type: 'long' })),
  column('new', 'date'),
];

async function lake() {
  const folder = await temporaryFolder('fjord-evolution');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

test('a schema that changes while a chunk is open widens, grows and branches off; every snapshot stays readable', async () => {
  await using open = await lake();
  await using write = open.write({
    columns: BEFORE,
    layout: { onIncompatible: 'new-column', partition: ['bucket(2, id)'] },
  });
  const old = (id: number) => ({ id, price: '1.50', ratio: 0.5, gone: 'g', kind: id, items: [{ n: id }] });
  write
    .begin(null)
    .records('a', [old(1), old(2)])
    .end('a')
    .state('one');
  await write.durable('one');
  write.records('b', [old(3)]).schema(2, AFTER);
  const young = {
    id: '5000000000',
    price: '123456789012345678.25',
    ratio: 1 / 3,
    kind: 'text',
    items: [{ label: 'l', n: '5000000000' }],
    new: '2024-02-29',
  };
  write.records('b', [young]).end('b').complete().state('two').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const { metadata, metadataLocation } = (await open.table())!;
  expect(metadata.snapshots.map((snapshot) => snapshot['schema-id'])).toEqual([0, 1]);
  const rows = sortRows([
    ...[1, 2, 3].map((id) => [
      String(id),
      '1.50',
      '0.5',
      'g',
      String(id),
      [{ n: String(id), label: null }],
      null,
      null,
    ]),
    [
      '5000000000',
      '123456789012345678.25',
      String(1 / 3),
      null,
      null,
      [{ n: '5000000000', label: 'l' }],
      'text',
      '2024-02-29',
    ],
  ]);
  const names = ['id', 'price', 'ratio', 'gone', 'kind', 'items', 'kind__string', 'new'];
  const python = await readWithPyIceberg({ metadataLocation });
  expect(python.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'id long',
    'price decimal(20, 2)',
    'ratio double',
    'gone string',
    'kind int',
    expect.stringMatching(/^items list/),
    'kind__string string',
    'new date',
  ]);
  expect(sortRows(python.rows)).toEqual(rows);
  const duck = await readWithDuckDB({ metadataLocation });
  expect(duck.columns.map(({ name }) => name)).toEqual(names);
  expect(sortRows(duck.rows)).toEqual(rows);
  // The first snapshot by its own schema, in both readers.
  const script = `
import json, sys, duckdb
from duckdb_extensions import import_extension
from pyiceberg.table import StaticTable
import_extension('avro'); import_extension('iceberg')
duck = duckdb.connect(); duck.execute('LOAD avro; LOAD iceberg')
table = StaticTable.from_metadata(sys.argv[1])
first = table.snapshots()[0].snapshot_id
old = sorted(table.scan(snapshot_id=first).to_arrow().select(['id', 'kind', 'gone']).to_pylist(), key=lambda row: row['id'])
by_duck = duck.execute(f"SELECT id, kind, gone FROM iceberg_scan('{sys.argv[1]}', snapshot_from_id={first}) ORDER BY id").fetchall()
print(json.dumps([[[r['id'], r['kind'], r['gone']] for r in old], by_duck]))`;
  const { stdout } = await runPython(script, [metadataLocation]);
  const first = [
    [1, 1, 'g'],
    [2, 2, 'g'],
  ];
  expect(JSON.parse(stdout)).toEqual([first, first]);
});

test('without a policy a type that does not fit fails its stream and leaves the table as it was', async () => {
  await using open = await lake();
  await using write = open.write({ columns: BEFORE });
  write
    .begin(null)
    .records('a', [{ id: 1, price: '1.50', ratio: 1, gone: 'g', kind: 1, items: [] }])
    .end('a')
    .state('one');
  await write.durable('one');
  write.schema(2, AFTER).complete().state('two').endRun();
  expect(await write.finish()).toBe(5);
  expect(write.errors).toContainEqual(
    expect.objectContaining({
      code: 'schema_incompatible',
      message: 'Column "kind" is int in the table and string in the rows.',
    }),
  );
  expect((await open.table())?.metadata.schemas).toHaveLength(1);
});
