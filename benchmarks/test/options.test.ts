import { expect, test } from 'vitest';
import { parseOptions } from '../options.ts';

const plain = { s3: false, synthetic: false, keep: false, checkout: false, record: false };

test.for([
  { args: ['trips'], options: { ...plain, name: 'trips', rows: 10_000_000 } },
  { args: ['lineitem'], options: { ...plain, name: 'lineitem', rows: 6_000_000 } },
  { args: ['trips', '--rows', '30_000_000', '--s3'], options: { ...plain, name: 'trips', rows: 30_000_000, s3: true } },
  {
    args: ['null-destination', '--source', 'synthetic', '--parallel', '1'],
    options: { ...plain, name: 'null-destination', rows: 10_000_000, synthetic: true, parallel: 1 },
  },
  {
    args: ['kindness', '--seconds', '20'],
    options: { ...plain, name: 'kindness', rows: 10_000_000, pace: 'gentle', seconds: 20 },
  },
  { args: ['filter'], options: { ...plain, name: 'filter', rows: 10_000_000 } },
  { args: ['wide', '--pace', 'fast'], options: { ...plain, name: 'wide', rows: 1_000_000, pace: 'fast' } },
  {
    args: ['trips', '--consistency', 'chunk', '--memory', '256', '--record'],
    options: { ...plain, name: 'trips', rows: 10_000_000, consistency: 'chunk', memory: 256, record: true },
  },
])('$args is understood', ({ args, options }) => {
  expect(parseOptions(args)).toEqual(options);
});

test.for([
  {
    args: [],
    message:
      'NAME must be one of trips, lineitem, wide, many-tables, filter, changes, scan-after-updates, freshness, soak, kindness, null-destination, partitions, s3-latency, commit, maintain, parquet, startup.',
  },
  {
    args: ['tips'],
    message:
      'NAME must be one of trips, lineitem, wide, many-tables, filter, changes, scan-after-updates, freshness, soak, kindness, null-destination, partitions, s3-latency, commit, maintain, parquet, startup.',
  },
  { args: ['trips', '--rows', '1.5'], message: '--rows must be a whole number above 0.' },
  { args: ['trips', '--consistency', 'none'], message: '--consistency must be one of snapshot, keys, chunk.' },
  { args: ['trips', '--source', 'synthetic'], message: '--source synthetic goes with null-destination only.' },
])('$args is refused', ({ args, message }) => {
  expect(() => parseOptions(args)).toThrow(message);
});
