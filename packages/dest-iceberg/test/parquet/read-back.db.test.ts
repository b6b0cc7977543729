import path from 'node:path';
import type { Column } from '@fjord/core';
import type { DataFile } from '@fjord/iceberg';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { openParquetPool } from '../../src/parquet/sink.ts';
import { batchOf, fieldsOf } from './batches.ts';
import { allRows, columns } from './every-type.ts';

const SCRIPT = path.join(import.meta.dirname, 'read_back.py');

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
