import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { Field, Int32, List, Table, tableFromIPC, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { readParquet } from 'parquet-wasm/node';
import { expect, test } from 'vitest';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

const ROWS = 60;

test('a file that is cut at any byte is refused by PyArrow, DuckDB and parquet-wasm, never half read', async () => {
  await using folder = await temporaryFolder('parquet');
  const target = path.join(folder.path, 'whole.parquet');
  const file = await sampleFile();
  writeFileSync(target, file);
  const { stdout } = await runPython(path.join(PYTHON_FOLDER, 'read_cut_files.py'), [target]);
  expect(JSON.parse(stdout)).toEqual({ whole: [ROWS, ROWS], cuts: file.length, read: [] });
  expect(tableFromIPC(readParquet(file).intoIPCStream()).numRows).toBe(ROWS);
  for (let length = 0; length < file.length; length++)
    expect(() => readParquet(file.subarray(0, length)), `cut at ${length}`).toThrow(/./);
});

/** A file whose values look like the end of one: uncompressed, so that they stand in it as they are. */
async function sampleFile(): Promise<Buffer> {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const table = new Table({
    magic: vectorFromArray(
      rows.map((row) => `${'\0'.repeat(row % 5)}PAR1`),
      new Utf8(),
    ),
    list: vectorFromArray(
      rows.map((row) => (row % 3 === 0 ? null : [row])),
      new List(new Field('item', new Int32(), true)),
    ),
  });
  const options = { compression: 'none', plainColumns: false, rowGroupRows: 25, bloomFilters: ['magic'] } as const;
  return (await encode([tableToIPC(table, 'stream')], options)).file;
}
