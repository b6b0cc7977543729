import path from 'node:path';
import type { Column, ColumnType } from '@fjord/core';
import type { DataFile } from '@fjord/iceberg';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { openParquetPool } from '../../src/parquet/sink.ts';
import { batchOf, fieldsOf } from './batches.ts';

const SCRIPT = path.join(import.meta.dirname, 'read_back.py');

const base64 = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64');
const nested: ColumnType = {
  type: 'struct',
  fields: [
    { name: 'a', type: 'int' },
    { name: 'l', type: { type: 'list', element: 'decimal(20,3)' } },
  ],
};

/** Each type with values whose extremes come in different row groups: one row group is two rows. */
const CASES: [ColumnType, unknown[]][] = [
  ['boolean', [true, true, false, null, null, true]],
  ['int', [1, 255, -(2 ** 31), 256, 2 ** 31 - 1, null]],
  ['long', ['1', '255', '-9223372036854775808', '256', '9223372036854775807', null]],
  ['float', [1.5, -1, 'NaN', -2.5, 3.25, null]],
  ['double', [1.5, 1e-300, 'NaN', -1e300, 1e300, null]],
  ['decimal(9,2)', ['0.01', '-9999999.99', '2.55', '2.56', '9999999.99', null]],
  ['decimal(18,4)', ['-0.0128', '0.0128', '-99999999999999.9999', '1.0000', '99999999999999.9999', null]],
  ['decimal(38,10)', ['-0.0000000001', '-9999999999999999999999999999.9999999999', '5.5', '300.0', '1.0', null]],
  ['date', ['1970-01-01', '1969-12-31', '0001-01-01', '2024-02-29', '9999-12-31', null]],
  ['time', ['00:00:00', '00:00:00.000256', '12:00:00', '23:59:59.999999', '00:00:00.000255', null]],
  [
    'timestamp',
    [
      '1970-01-01T00:00:00',
      '1969-12-31T23:59:59.999999',
      '0001-01-01T00:00:00',
      '9999-12-31T23:59:59.999999',
      '2024-01-01T00:00:00',
      null,
    ],
  ],
  [
    'timestamptz',
    [
      '1970-01-01T00:00:00Z',
      '1969-12-31T23:59:59.999999Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999Z',
      '2024-01-01T00:00:00Z',
      null,
    ],
  ],
  ['string', ['', `${'z'.repeat(15)}😀😀`, 'é', '\u0000', `${'z'.repeat(15)}😀`, null]],
  [
    'uuid',
    [
      '00000000-0000-0000-0000-000000000001',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '80000000-0000-0000-0000-000000000000',
      null,
      null,
      null,
    ],
  ],
  [
    'binary',
    [base64([]), base64(Array.from({ length: 20 }, () => 200)), base64([255]), base64([0, 1]), base64([128]), null],
  ],
  ['fixed(3)', [base64([0, 0, 1]), base64([128, 0, 0]), base64([127, 255, 255]), base64([255, 0, 0]), null, null]],
  [{ type: 'list', element: 'string' }, [['a', null], [], ['b'], null, ['é', 'ü'], null]],
  [{ type: 'list', element: { type: 'list', element: 'int' } }, [[[1], []], [], [null], null, [[2, null]], null]],
  [
    { type: 'map', key: 'string', value: 'double' },
    [
      [['k', 1.5]],
      [],
      [
        ['a', null],
        ['b', 2],
      ],
      null,
      null,
      null,
    ],
  ],
  [nested, [{ a: 1, l: ['1.5'] }, { a: null, l: null }, null, { a: -5, l: [] }, { a: 300, l: [null, '-2'] }, null]],
];

type ReadBack = {
  rows: Record<string, string>[];
  types: Record<string, string>;
  required: string[];
  fieldIds: Record<string, number>;
  bounds: Record<string, [string | null, string | null]>;
  columnSizes: Record<string, number>;
  valueCounts: Record<string, number>;
  nullValueCounts: Record<string, number>;
  splitOffsets: number[];
};

async function writeAndReadBack(columns: Column[], batches: Record<string, unknown>[][]) {
  await using folder = await temporaryFolder('parquet');
  await using pool = openParquetPool({ workers: 1, memoryBytes: 2 ** 20, io: {}, rowGroupRows: 2 });
  const fields = fieldsOf(columns);
  const writer = pool.openFile({ prefix: path.join(folder.path, 'a'), fields });
  for (const rows of batches) await writer.write(batchOf(columns, rows));
  const [file] = await writer.close();
  if (!file) throw new Error('the writer gave no file');
  const schema = JSON.stringify({ type: 'struct', 'schema-id': 0, fields });
  const { stdout } = await runPython(SCRIPT, [file.filePath, schema]);
  return { file, fields, found: JSON.parse(stdout) as ReadBack };
}

const asRecord = (counts: DataFile['valueCounts']) =>
  Object.fromEntries([...(counts ?? [])].map(([id, count]) => [String(id), Number(count)]));

const columns = CASES.map(([type], index): Column => ({ name: `c${index}`, type, nullable: true }));
const rowAt = (row: number) => Object.fromEntries(CASES.map(([, values], index) => [`c${index}`, values[row]]));
const allRows = [0, 1, 2, 3, 4, 5].map(rowAt);

test('PyArrow reads every type as it was written, with the field ids of the table', async () => {
  const { fields, found } = await writeAndReadBack(columns, [allRows.slice(0, 3), allRows.slice(3)]);
  expect(found.types).toMatchSnapshot();
  expect(found.rows).toMatchSnapshot();
  const topLevel = Object.fromEntries(fields.map((field) => [field.name, field.id]));
  expect(found.fieldIds).toMatchObject(topLevel);
  expect(Object.keys(found.fieldIds)).toContain('c19.l.element');
  expect(new Set(Object.values(found.fieldIds)).size).toBe(Object.keys(found.fieldIds).length);
});

test('the metrics are those that the data itself and PyIceberg give', async () => {
  const { file, found } = await writeAndReadBack(columns, [allRows.slice(0, 3), allRows.slice(3)]);
  const ours = Object.fromEntries(
    Object.keys(found.bounds).map((id) => {
      const sides = [file.lowerBounds?.get(Number(id)), file.upperBounds?.get(Number(id))];
      return [id, sides.map((bytes) => (bytes ? Buffer.from(bytes).toString('hex') : null))];
    }),
  );
  expect(ours).toEqual(found.bounds);
  expect(asRecord(file.columnSizes)).toEqual(found.columnSizes);
  expect(asRecord(file.valueCounts)).toEqual(found.valueCounts);
  expect(asRecord(file.nullValueCounts)).toEqual(found.nullValueCounts);
  expect(file.splitOffsets?.map(Number)).toEqual(found.splitOffsets);
});

test('columns of nothing but nulls are read back as nulls', async () => {
  const { file, found } = await writeAndReadBack(columns, [[{}, {}, {}]]);
  expect(found.rows).toEqual(
    Array.from({ length: 3 }, () => Object.fromEntries(columns.map(({ name }) => [name, 'None']))),
  );
  expect(file.lowerBounds).toEqual(new Map());
});

test('required columns are required in the file, and bear any name', async () => {
  const names = ['a.b', 'UPPER', 'quo"te', 'emoji 😀', 'element', 'key_value'];
  const strange = names.map((name): Column => ({ name, type: 'int', nullable: false }));
  const { found } = await writeAndReadBack(strange, [[Object.fromEntries(names.map((name, index) => [name, index]))]]);
  expect(found.required).toEqual(names);
  expect(found.rows).toEqual([Object.fromEntries(names.map((name, index) => [name, String(index)]))]);
});
