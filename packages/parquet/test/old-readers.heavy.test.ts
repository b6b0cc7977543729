import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  findOldPythonProblem,
  mustRun,
  oldParquetPython,
  runParquetTools,
  runPython,
  temporaryFolder,
} from '@fjord/test-harness';
import { describe, expect, test } from 'vitest';
import type { ParquetWriterOptions } from '../src/index.ts';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

const ROWS = 2000;
const READERS = ['pyarrow', 'duckdb', 'fastparquet'];
const SMALL = { pageBytes: 4096, rowGroupRows: 700 } as const;

const VARIANTS: Record<string, Omit<ParquetWriterOptions, 'write'>> = {
  zstd: SMALL,
  snappy: { ...SMALL, compression: 'snappy', uuidLogicalType: false },
  gzip: { ...SMALL, compression: 'gzip', uuidLogicalType: false },
  none: { ...SMALL, compression: 'none', bloomFilters: ['word', 'id'] },
  delta: { ...SMALL, plainColumns: false, encodings: { integers: 'delta' } },
  'delta-length': { ...SMALL, plainColumns: false, encodings: { byteArrays: 'delta-length' } },
  'byte-stream-split': { ...SMALL, plainColumns: false, encodings: { floats: 'byte-stream-split' } },
};

const oldPythonProblem = await findOldPythonProblem();

describe('readers of older age', () => {
  test.skipIf(oldPythonProblem !== undefined)(
    `PyArrow 10, DuckDB 0.6 and fastparquet of 2022 read every value with the default encodings, and refuse others in plain words (${oldPythonProblem ?? 'Python fits'})`,
    async () => {
      await using folder = await temporaryFolder('parquet');
      await writeVariants(folder.path);
      const program = path.join(PYTHON_FOLDER, 'read_with_old.py');
      const now = JSON.parse((await runPython(program, [folder.path, 'pyarrow'])).stdout);
      const expected = now.zstd.pyarrow;
      const found: Record<string, Record<string, unknown>> = {};
      // Each in a process of its own: their libraries do not go together.
      for (const reader of READERS) {
        const { stdout } = await mustRun(await oldParquetPython(), [program, folder.path, reader]);
        for (const [variant, read] of Object.entries<Record<string, unknown>>(JSON.parse(stdout)))
          found[variant] = { ...found[variant], ...read };
      }
      for (const variant of ['zstd', 'snappy', 'gzip', 'none']) {
        for (const reader of READERS) expect(found[variant]?.[reader], `${variant} by ${reader}`).toEqual(expected);
      }
      expect(found['delta']).toEqual({
        pyarrow: expected,
        duckdb: expect.stringMatching(/DELTA/),
        fastparquet: 'Encoding 5',
      });
      expect(found['delta-length']).toEqual({
        pyarrow: expect.stringContaining('DeltaLengthByteArray'),
        duckdb: expect.stringContaining('Unsupported page encoding'),
        fastparquet: 'Encoding 6',
      });
      expect(found['byte-stream-split']).toEqual({
        pyarrow: expected,
        duckdb: expect.stringContaining('Unsupported page encoding'),
        fastparquet: 'Encoding 9',
      });
    },
  );

  test('parquet-mr of 2015 reads every row, whatever the codec that it knows', async () => {
    await using folder = await temporaryFolder('parquet');
    await writeVariants(folder.path);
    for (const variant of ['snappy', 'gzip', 'none']) {
      const { stdout } = await runParquetTools(['cat', '--json', path.join(folder.path, `${variant}.parquet`)]);
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const ids = rows.map(({ id }) => id);
      expect(ids, variant).toEqual(Array.from({ length: ROWS }, (_, row) => row - ROWS / 2));
      for (const { id, small, at, word, real, number, deep, ...rest } of rows) {
        const row = id + ROWS / 2;
        expect([small, at, word]).toEqual([
          Math.floor(id / 200),
          id * 1_000_000_007,
          `${String(id + ROWS).padStart(8, '0')}é${'x'.repeat(100)}`,
        ]);
        expect(real).toEqual(id % 7 === 0 ? 'NaN' : id / 3);
        expect(number).toBe((row * 2_654_435_761) % 2 ** 32);
        expect(deep).toEqual([{ element: row }, {}]);
        expect(rest.in).toEqual(id % 5 === 0 ? undefined : { x: id });
      }
    }
  });
});

async function writeVariants(folder: string): Promise<void> {
  const source = path.join(folder, 'table.arrows');
  await runPython(path.join(PYTHON_FOLDER, 'make_features.py'), [source, String(ROWS)]);
  const stream = readFileSync(source);
  for (const [name, options] of Object.entries(VARIANTS))
    writeFileSync(path.join(folder, `${name}.parquet`), (await encode([stream], options)).file);
}
