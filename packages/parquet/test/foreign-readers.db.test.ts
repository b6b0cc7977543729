import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ParquetWriterOptions } from '../src/index.ts';
import { encode } from './encode.ts';

const PYTHON = path.join(import.meta.dirname, 'python');
const TABLES = 40;
const FILES_EACH = 3;

/** Any options, mostly with limits so small that a few thousand rows meet them. */
const anyOptions: fc.Arbitrary<Omit<ParquetWriterOptions, 'write'>> = fc.record(
  {
    compression: fc.constantFrom('zstd', 'gzip', 'snappy', 'none'),
    rowGroupRows: fc.constantFrom(1, 7, 100, 1000, 100_000),
    rowGroupBytes: fc.constantFrom(1, 10_000, 1_000_000),
    pageBytes: fc.constantFrom(1, 4096, 20_000, 1_000_000),
    bufferBytes: fc.constantFrom(1, 100_000, 10_000_000),
    plainColumns: fc.constant(false),
    encodings: fc.record({
      integers: fc.constantFrom('plain', 'delta'),
      byteArrays: fc.constantFrom('plain', 'delta-length'),
      floats: fc.constantFrom('plain', 'byte-stream-split'),
    }),
    pageIndex: fc.boolean(),
    pageChecksums: fc.boolean(),
    uuidLogicalType: fc.boolean(),
    keyValueMetadata: fc.constant({ made: 'by a test' }),
  },
  { requiredKeys: [] },
);

// A new seed each day: a failure names it.
const seed = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));

test(`PyArrow and DuckDB find every value and every statistic of random tables as they were (seed ${seed})`, async () => {
  await using folder = await temporaryFolder('parquet');
  await runPython(path.join(PYTHON, 'make_tables.py'), [folder.path, String(seed), String(TABLES)]);
  const sources = readdirSync(folder.path);
  const options = fc.sample(anyOptions, { seed, numRuns: sources.length * FILES_EACH });
  for (const [index, each] of options.entries()) {
    const source = path.join(folder.path, sources[index % sources.length] ?? '');
    const { file } = await encode([readFileSync(source)], each);
    writeFileSync(source.replace(/arrows$/, `${index}.parquet`), file);
  }
  const { stdout } = await runPython(path.join(PYTHON, 'check_tables.py'), [folder.path]);
  const { compared, problems } = JSON.parse(stdout) as { compared: { files: number }; problems: string[] };
  expect(problems, JSON.stringify(options)).toEqual([]);
  expect(compared).toMatchObject({ files: TABLES * FILES_EACH });
});
