import type { SelectedStream } from '@fjord/core';
import { expect, test } from 'vitest';
import { compareRanges, compareRows, countRanges, sourceKey } from '../src/compare-sums.ts';
import { planRepair } from '../src/repair.ts';
import { blankVerdict } from '../src/verdict.ts';

const SELECTED: SelectedStream = {
  stream: 's.t',
  name: 't',
  columns: [
    { name: 'id', type: 'int', nullable: false },
    { name: 'code', type: 'binary', nullable: false },
  ],
  primaryKey: ['id', 'code'],
  writeMode: 'upsert',
  changes: {},
  target: { namespace: ['lake'], name: 't' },
};
const sum = (digit: string) => digit.repeat(16);

test.each([
  [undefined, 1],
  [0, 1],
  [-1, 1],
  [1024, 1],
  [1025, 2],
  [1_000_000, 1024],
  [1e12, 4096],
])('%s estimated rows make %i ranges', (estimatedRows, ranges) => {
  expect(countRanges({ ...SELECTED, ...(estimatedRows !== undefined && { estimatedRows }) })).toBe(ranges);
});

test('ranges differ by rows or by sums, and where only one side has any', () => {
  const source = [0, 1, 2, 3].map((range) => ({ range, rows: 5, sum: sum('a') }));
  const table = [
    { range: 4, rows: 1, sum: sum('0') },
    { range: 3, rows: 5, sum: sum('a') },
    { range: 2, rows: 6, sum: sum('a') },
    { range: 1, rows: 5, sum: sum('b') },
  ];
  expect(compareRanges(source, table).map(({ range }) => range)).toEqual([0, 1, 2, 4]);
});

test('rows are lost, added, altered or doubled, by their keys in JSON', () => {
  const row = (id: number, digit: string) => ({ key: [String(id), 'ff'], sum: sum(digit) });
  const source = [row(1, 'a'), row(2, 'a'), row(3, 'a'), row(4, 'a')];
  const table = [row(4, 'a'), row(3, 'a'), row(3, 'a'), row(2, 'b'), row(5, 'a')];
  const key = (id: number) => ({ id, code: '/w==' });
  expect(compareRows(source, table, SELECTED)).toEqual({
    missing: [key(1)],
    extra: [key(5)],
    changed: [key(2), key(3)],
  });
});

const renamed = (hashed: boolean): SelectedStream => ({
  ...SELECTED,
  shape: {
    columns: [],
    primaryKey: ['number', 'code'],
    outputs: [
      { column: SELECTED.columns[0]!, expression: { column: 'number' } },
      {
        column: SELECTED.columns[1]!,
        expression: hashed ? { call: 'hash', arguments: [{ column: 'code' }], type: 'string' } : { column: 'code' },
      },
    ],
  },
});

test('a key is asked for under the names of the source, unless it is computed', () => {
  const key = { id: 1, code: '/w==' };
  expect(sourceKey(key, SELECTED)).toEqual(key);
  expect(sourceKey(key, renamed(false))).toEqual({ number: 1, code: '/w==' });
  expect(sourceKey(key, renamed(true))).toBeUndefined();
});

test('rows are sent again where their keys are known; else the stream is copied anew, or it is said why not', () => {
  const keys = { missing: [{ id: 1, code: '' }], extra: [], changed: [] };
  const verdict = { ...blankVerdict(SELECTED), keys };
  expect(planRepair([verdict], [SELECTED], true)).toMatchObject({ rows: { 's.t': keys.missing }, backfill: [] });
  expect(planRepair([{ ...verdict, isListed: false }], [SELECTED], true).backfill).toEqual(['s.t']);
  expect(planRepair([verdict], [renamed(true)], true).backfill).toEqual(['s.t']);
  expect(planRepair([verdict], [SELECTED], false).refused.get('s.t')).toContain('cannot send rows again');
  const { changes: _, ...full } = SELECTED;
  expect(planRepair([verdict], [full], true).refused.get('s.t')).toContain('not repaired');
});
