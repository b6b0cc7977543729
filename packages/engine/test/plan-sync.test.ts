import type { SelectedStream, TableContents } from '@fjord/core';
import { expect, test } from 'vitest';
import { planStream, planTable } from '../src/plan-sync.ts';

const STREAM: SelectedStream = {
  stream: 'public.orders',
  name: 'orders',
  columns: [
    { name: 'id', type: 'long', nullable: false },
    { name: 'total', type: 'decimal(12,2)', nullable: true },
  ],
  primaryKey: ['id'],
  writeMode: 'append',
  target: { namespace: ['lake'], name: 'orders' },
  estimatedRows: 100,
  estimatedBytes: 1000,
};
const KEEP = { action: 'keep', changes: [] } as const;

test.each([
  [{}, undefined, 'copy'],
  [{}, null, 'copy'],
  [{}, { phase: 'backfill' }, 'resume'],
  [{}, { phase: 'complete' }, 'nothing'],
  [{ writeMode: 'overwrite' as const }, { phase: 'complete' }, 'copy'],
  [{ incremental: { cursor: ['id'] } }, { phase: 'complete' }, 'increment'],
  [{ changes: {} }, { phase: 'following' }, 'changes'],
  [{ changes: {} }, { phase: 'complete' }, 'copy'],
  [{}, { phase: 'following' }, 'copy'],
  // A source that has no phases.
  [{}, { offset: 7 }, 'nothing'],
])('%j with the state %j: %s', (options, state, action) => {
  const planned = planStream({ ...STREAM, ...options }, { state, table: { ...KEEP, changes: [] } });
  expect(planned).toMatchObject({ action, target: 'lake.orders' });
  expect(planned.rows).toBe(action === 'copy' || action === 'resume' ? 100 : undefined);
});

const tableOf = (columns: TableContents['columns'], rows = 0) => ({ columns, files: { rows } }) as TableContents;
const SAME: TableContents['columns'] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'total', type: 'decimal(12, 2)', nullable: true },
  { name: '_fjord_op', type: 'string', nullable: true },
];

test('a table is made where there is none, and kept where every column has its place', () => {
  expect(planTable(STREAM, { contents: undefined, isOurs: false })).toEqual({ action: 'create', changes: [] });
  expect(planTable(STREAM, { contents: tableOf(SAME), isOurs: true })).toEqual(KEEP);
});

test('what changes in a table is said column by column', () => {
  const columns = [
    { name: 'id', type: 'int', nullable: false },
    { name: 'old', type: 'string', nullable: true },
  ];
  expect(planTable(STREAM, { contents: tableOf(columns), isOurs: true })).toEqual({
    action: 'change',
    changes: [
      'id: int becomes long if it can hold it',
      'add total decimal(12,2)',
      'old stays, and is null in new rows',
    ],
  });
});

test('a table with rows of others is warned of, unless it is adopted', () => {
  const contents = tableOf(SAME, 5);
  expect(planTable(STREAM, { contents, isOurs: false }).warning).toContain('adopt: true');
  expect(planTable(STREAM, { contents, isOurs: true })).not.toHaveProperty('warning');
  expect(planTable({ ...STREAM, adopt: true }, { contents, isOurs: false })).not.toHaveProperty('warning');
});
