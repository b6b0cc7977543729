import type { TableContents } from '@fjord/core';
import { expect, test } from 'vitest';
import { age, overview, tableText } from '../src/table-view.ts';

const CONTENTS: TableContents = {
  location: 's3://lake/shop/orders',
  format: 'Iceberg v2',
  columns: [
    { name: 'id', type: 'long', nullable: false },
    { name: 'note', type: 'string', nullable: true, doc: 'What was said' },
  ],
  key: ['id'],
  partition: ['day(at)'],
  sort: [],
  properties: { 'write.parquet.compression-codec': 'zstd' },
  snapshots: [
    { id: '7', at: '2025-06-02T00:00:00.000Z', operation: 'overwrite', summary: { 'added-records': '1200' } },
    { id: '6', at: '2025-06-01T00:00:00.000Z', operation: 'append', summary: {} },
  ],
  files: {
    count: 2,
    bytes: 3_000_000,
    rows: 12_000,
    smallestBytes: 1_000_000,
    medianBytes: 2_000_000,
    largestBytes: 2_000_000,
    deleteFiles: 1,
    deleteBytes: 500,
    deletedPositions: 6000,
    deletedKeys: 0,
    manifests: 2,
  },
  health: [{ message: '50 % of the rows are deleted.', fix: 'Run `fjord maintain`.' }],
};

test('a table is shown with columns, layout, files, snapshots and what to mend', () => {
  const text = tableText(
    { type: 'TABLE', stream: 'public.orders', table: 'shop.orders', contents: CONTENTS },
    Date.parse('2025-06-02T03:00:00Z'),
  );
  expect(text.split('\n')).toEqual([
    'shop.orders  (Iceberg v2, stream public.orders)',
    '  s3://lake/shop/orders',
    '',
    'Columns',
    '  id long key',
    '  note string -- What was said',
    '',
    'Layout',
    '  partitioned by day(at)',
    '  sorted by nothing',
    '  write.parquet.compression-codec = zstd',
    '',
    'Files',
    '  2 data files, 3.0 MB, 12,000 rows, in 2 manifests',
    '  smallest 1.0 MB, median 2.0 MB, largest 2.0 MB',
    '  6,000 rows deleted by 1 delete files, 500 B',
    '',
    'Snapshots: 2, the last commit 3 hours ago',
    '  2025-06-02T00:00:00.000Z  7  overwrite  added-records 1,200',
    '  2025-06-01T00:00:00.000Z  6  append',
    '',
    'Health',
    '  50 % of the rows are deleted.',
    '    fix: Run `fjord maintain`.',
  ]);
});

test('all tables are one line each, those that are not there yet, too', () => {
  const text = overview([
    { type: 'TABLE', stream: 'public.orders', table: 'shop.orders', contents: CONTENTS },
    { type: 'TABLE', stream: 'public.items', table: 'shop.items' },
  ]);
  expect(text).toMatch(/^shop\.orders +12,000 +2 +3\.0 MB +6,000 +2 +2025-06-02 00:00$/m);
  expect(text).toMatch(/^shop\.items +not there yet$/m);
  expect(text).toContain('shop.orders: 50 % of the rows are deleted.\n  fix: Run');
});

test.each([
  [1_000, '1 seconds'],
  [119_000, '119 seconds'],
  [120_000, '2 minutes'],
  [3 * 3_600_000, '3 hours'],
  [50 * 3_600_000, '2 days'],
])('%i ms are %s', (milliseconds, text) => {
  expect(age(milliseconds)).toBe(text);
});
