import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { LoadResult } from '../load.ts';
import { insertRow, rowOf } from '../record.ts';
import { describeLoad, toJsonLine } from '../report.ts';

const result: LoadResult = {
  name: 'trips',
  rows: 10_000_000,
  rowsPerS: 400_000.4,
  wallS: 25.004,
  cpuS: 24.126,
  cpuParts: { engine: 1.1, source: 9.514, destination: 13.342 },
  rssPartsMB: { engine: 100, source: 300, destination: 450 },
  peakRssMB: 850,
  peakPssMB: 760,
  floorRowsPerS: 1_250_000,
  floor1RowsPerS: 800_000,
  postgresCpuS: 13.2,
  bytesWritten: 263_801_559,
  files: 12,
  machine: { cpu: 'Model', cores: 2, memoryGB: 24, node: '24.0.0', postgres: '18.4' },
  date: '2026-11-23',
  options: { rows: 10_000_000, s3: true, parallel: 4 },
};

test('the JSON line has whole rates, bytes and megabytes, and seconds to the hundredth', () => {
  expect(JSON.parse(toJsonLine(result))).toEqual({
    ...result,
    rowsPerS: 400_000,
    wallS: 25,
    cpuS: 24.13,
    cpuParts: { engine: 1.1, source: 9.51, destination: 13.34 },
  });
});

test('a load is described for people', () => {
  expect(describeLoad(result)).toBe(`trips             10,000,000 rows, 2 x Model, 24 GB
floor             1,250,000 rows/s over two connections, 800,000 over one
load              25.0 s, 400,000 rows/s, 32 % of the floor
CPU               24.1 s (2.41 µs a row): engine 1.1 s, source 9.5 s, destination 13.3 s
cores used        0.96 by Fjord, 0.53 by PostgreSQL (13.2 s)
memory            850 MB RSS, 760 MB PSS at the peak; engine 100 MB, source 300 MB, destination 450 MB
written           264 MB in 12 data files
`);
});

test('a load becomes a row of the table', () => {
  expect(rowOf(result)).toEqual([
    '2026-11-23',
    'trips, local S3, parallel 4',
    '10,000,000',
    '400,000',
    '25.0',
    '24.1 (9.5, 13.3, 1.1)',
    '850',
    '1,250,000',
    '2 x Model, 24 GB, Node 24.0.0, PostgreSQL 18.4 on the same cores',
  ]);
});

test('the newest row stands on top', () => {
  const text = '# Head\n\n| date | rows |\n| ---- | ---- |\n| old  | 1    |\n';
  expect(insertRow(text, ['new', '2'])).toBe(
    '# Head\n\n| date | rows |\n| ---- | ---- |\n| new | 2 |\n| old  | 1    |\n',
  );
});

test('docs/benchmarks.md has the table, with as many columns as a row has cells', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/benchmarks.md'), 'utf8');
  const [head = ''] = /^\| date .*$/m.exec(insertRow(text, rowOf(result))) ?? [];
  expect(head.split('|')).toHaveLength(rowOf(result).length + 2);
});
