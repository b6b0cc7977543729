import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm/node';
import { expect, test } from 'vitest';
import { lookAlikeFile } from './look-alike-file.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

const ROWS = 60;

test('a file that is cut at any byte is refused by PyArrow, DuckDB and parquet-wasm, never half read', async () => {
  await using folder = await temporaryFolder('parquet');
  const target = path.join(folder.path, 'whole.parquet');
  const file = await lookAlikeFile(ROWS);
  writeFileSync(target, file);
  const { stdout } = await runPython(path.join(PYTHON_FOLDER, 'read_cut_files.py'), [target]);
  expect(JSON.parse(stdout)).toEqual({ whole: [ROWS, ROWS], cuts: file.length, read: [] });
  expect(tableFromIPC(readParquet(file).intoIPCStream()).numRows).toBe(ROWS);
  for (let length = 0; length < file.length; length++)
    expect(() => readParquet(file.subarray(0, length)), `cut at ${length}`).toThrow(/./);
});
