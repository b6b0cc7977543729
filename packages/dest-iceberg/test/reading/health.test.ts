import type { TableContents } from '@fjord/core';
import { expect, test } from 'vitest';
import { findHealth } from '../../src/reading/health.ts';

const HEALTHY: TableContents['files'] = {
  count: 100,
  bytes: 100 * 200e6,
  rows: 1_000_000,
  smallestBytes: 100e6,
  medianBytes: 200e6,
  largestBytes: 300e6,
  deleteFiles: 0,
  deleteBytes: 0,
  deletedPositions: 0,
  deletedKeys: 0,
  manifests: 10,
};

const findings = (files: Partial<TableContents['files']>, snapshots = 10) =>
  findHealth({
    files: { ...HEALTHY, ...files },
    snapshots: Array.from({ length: snapshots }, () => ({ id: '1', at: '', operation: 'append', summary: {} })),
    properties: { 'write.target-file-size-bytes': String(256e6) },
  }).map(({ message }) => message);

test('a table of few deletes and large files is healthy', () => {
  expect(findings({ deletedPositions: 100_000 })).toEqual([]);
  expect(findings({ count: 10, medianBytes: 1000, bytes: 10_000 })).toEqual([]);
});

test.each([
  [
    'many small files',
    { medianBytes: 2e6, bytes: 500e6 },
    '100 data files hold what would fit into 2: half of them are smaller than 2.0 MB.',
  ],
  ['many deleted rows', { deletedPositions: 200_000 }, '20 % of the rows'],
  ['equality deletes', { deletedKeys: 1 }, '1 keys are deleted by value'],
  ['many manifests', { manifests: 1000 }, '1,000 manifests'],
])('%s are told', (_, files, message) => {
  expect(findings(files)).toEqual([expect.stringContaining(message)]);
});

test('many snapshots are told', () => {
  expect(findings({}, 1000)).toEqual([expect.stringContaining('1,000 snapshots')]);
});
