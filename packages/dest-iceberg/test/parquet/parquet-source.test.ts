import path from 'node:path';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import type { Column } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import type { DataFile, FileIO } from '@fjord/iceberg';
import { openFileIO } from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { openWasmSource } from '../../src/parquet/wasm-source.ts';
import { openParquetPool, type ParquetPoolOptions } from '../../src/parquet/sink.ts';
import { batchOf, fieldsOf } from './batches.ts';
import { allRows, columns } from './every-type.ts';
import { openSource, readRecords } from './read-source.ts';

async function writeFileOf(
  folder: string,
  rows: Record<string, unknown>[],
  options: Partial<ParquetPoolOptions> & { columns?: Column[] } = {},
): Promise<DataFile> {
  await using pool = openParquetPool({ workers: 1, memoryBytes: 2 ** 20, io: {}, rowGroupRows: 2, ...options });
  const own = options.columns ?? columns;
  const writer = pool.openFile({ prefix: path.join(folder, 'a'), fields: fieldsOf(own) });
  await writer.write(batchOf(own, rows));
  const [file] = await writer.close();
  if (!file) throw new Error('the writer gave no file');
  return file;
}

const rowsOf = (records: Record<string, unknown>[]) => [...batchToRecords(batchOf(columns, records).body, columns)];
const sourceFile = ({ filePath, fileSizeInBytes, recordCount }: DataFile) => ({
  location: filePath,
  size: Number(fileSizeInBytes),
  recordCount,
  nameMapping: undefined,
});

test.each(['fjord', 'parquet-wasm'] as const)(
  'reads every type that the encoder %s wrote, by row group',
  async (encoder) => {
    await using folder = await temporaryFolder('source');
    const file = await writeFileOf(folder.path, allRows, { encoder });
    await using source = await openSource(file);
    expect(source.rowGroups.map(({ startRow, rows }) => [startRow, rows])).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ]);
    const fields = fieldsOf(columns);
    expect([...source.fieldIds]).toEqual(fields.map(({ id }) => id));
    const all = await readRecords(source, { columns, fields });
    expect(all.records).toEqual(rowsOf(allRows));
    expect(all.starts).toEqual([0, 2, 4]);
    const second = await readRecords(source, { columns, fields, rowGroup: 1 });
    expect(second.records).toEqual(rowsOf(allRows.slice(2, 4)));
  },
);

test('gives the columns asked for, in that order, widened as the table was, and null where the file has none', async () => {
  await using folder = await temporaryFolder('source');
  const narrow: Column[] = [
    { name: 'a', type: 'int', nullable: false },
    { name: 'a.b', type: 'float', nullable: true },
    { name: 'c', type: 'decimal(9,2)', nullable: true },
    { name: 's', type: { type: 'struct', fields: [{ name: 'x', type: 'int' }] }, nullable: true },
  ];
  const rows = [
    { a: -5, 'a.b': 1.5, c: '1.25', s: { x: 7 } },
    { a: 2 ** 31 - 1, 'a.b': null, c: null, s: null },
  ];
  const file = await writeFileOf(folder.path, rows, { columns: narrow });
  await using source = await openSource(file);
  const [a, b, c, s] = fieldsOf(narrow);
  if (!a || !b || !c || !s || typeof s.type === 'string' || s.type.type !== 'struct') throw new Error('no fields');
  const struct = {
    ...s.type,
    fields: [...s.type.fields, { id: 90, name: 'y', required: false, type: 'string' as const }],
  };
  const fields = [
    { ...s, type: struct },
    { ...c, type: 'decimal(18, 2)' as const },
    { id: 99, name: 'new', required: false, type: 'string' as const },
    { ...b, type: 'double' as const },
    { ...a, name: 'renamed', type: 'long' as const },
  ];
  const wide: Column[] = [
    {
      name: 's',
      type: {
        type: 'struct',
        fields: [
          { name: 'x', type: 'int' },
          { name: 'y', type: 'string' },
        ],
      },
      nullable: true,
    },
    { name: 'c', type: 'decimal(18,2)', nullable: true },
    { name: 'new', type: 'string', nullable: true },
    { name: 'a.b', type: 'double', nullable: true },
    { name: 'renamed', type: 'long', nullable: true },
  ];
  const { records } = await readRecords(source, { columns: wide, fields });
  expect(records).toEqual([
    { s: { x: 7, y: null }, c: '1.25', new: null, 'a.b': 1.5, renamed: '-5' },
    { s: null, c: null, new: null, 'a.b': null, renamed: '2147483647' },
  ]);
  const [nothing, text] = [fields[2]!, { name: 'new', type: 'string', nullable: true } as const];
  expect((await readRecords(source, { columns: [text], fields: [nothing] })).records).toEqual([
    { new: null },
    { new: null },
  ]);
});

test('reads only the parts of a large file that are asked for', async () => {
  await using folder = await temporaryFolder('source');
  const own: Column[] = [
    { name: 'id', type: 'int', nullable: false },
    { name: 'text', type: 'string', nullable: false },
  ];
  const rows = Array.from({ length: 40_000 }, (_, id) => ({
    id,
    text: Math.sin(id).toString(36).repeat(1) + Math.cos(id) + Math.tan(id),
  }));
  const file = await writeFileOf(folder.path, rows, { columns: own, rowGroupRows: 10_000 });
  const io = openFileIO(file.filePath);
  let bytes = 0;
  const counted: FileIO = {
    ...io,
    readRange: (location, offset, length) => {
      bytes += length;
      return io.readRange(location, offset, length);
    },
  };
  using source = await openWasmSource({ io: counted, ...sourceFile(file) });
  const opened = bytes;
  const [id] = fieldsOf(own);
  const starts = await Array.fromAsync(source.read([id!]), ({ startRow }) => startRow);
  expect(starts).toEqual([0, 10_000, 20_000, 30_000]);
  expect(Number(file.fileSizeInBytes)).toBeGreaterThan(900_000);
  expect(opened).toBe(256 * 1024);
  expect(bytes - opened).toBeLessThan(300_000);
});

test('says which file is broken, and passes on what the storage says', async () => {
  await using folder = await temporaryFolder('source');
  const own: Column[] = [{ name: 'text', type: 'string', nullable: false }];
  const rows = Array.from({ length: 40_000 }, (_, id) => ({ text: Math.sin(id).toString(36).repeat(2) }));
  const file = await writeFileOf(folder.path, rows, { columns: own, rowGroupRows: 20_000 });
  const fields = fieldsOf(own);
  const read = async (over: Partial<DataFile> = {}) => {
    await using source = await openSource({ ...file, ...over });
    return readRecords(source, { columns: own, fields });
  };
  const io = openFileIO(file.filePath);
  const denied = new Error('denied');
  const failing: FileIO = {
    ...io,
    readRange: (at, from, length) => (from < 1000 ? Promise.reject(denied) : io.readRange(at, from, length)),
  };
  using denying = await openWasmSource({ io: failing, ...sourceFile(file) });
  await expect(Array.fromAsync(denying.read(fields))).rejects.toBe(denied);
  await expect(read({ recordCount: 5n })).rejects.toMatchObject({ code: 'storage_failed' });
  await expect(read({ filePath: '/nowhere' })).rejects.toMatchObject({ code: 'file_not_found' });
  const bytes = await readFile(file.filePath);
  await writeFile(file.filePath, bytes.fill(7, 5000, 90_000));
  await expect(read()).rejects.toMatchObject({
    code: 'storage_failed',
    message: expect.stringContaining(file.filePath),
  });
  await truncate(file.filePath, 200_000);
  await expect(read()).rejects.toMatchObject({ code: 'storage_failed' });
  // Files that are whole are read as before.
  const other = await writeFileOf(folder.path, rows.slice(0, 2), { columns: own });
  await using source = await openSource(other);
  expect((await readRecords(source, { columns: own, fields: fieldsOf(own) })).records).toEqual(rows.slice(0, 2));
});
