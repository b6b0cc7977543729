import { RecordBatchReader } from 'apache-arrow';
import { expect, test } from 'vitest';
import { isFreeText, parseCanonical, RowSums } from '../../src/arrow/apache-arrow.ts';
import { appendRecord, BatchBuilder } from '../../src/arrow/index.ts';
import type { Column } from '../../src/index.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'int', nullable: false },
  { name: 'a', type: 'string', nullable: true },
  { name: 'b', type: 'string', nullable: true },
];
type Row = [id: number, a: string | null, b: string | null];

function sumsOf(
  rows: readonly Row[],
  { ranges = 4, list, key = ['id'] }: { ranges?: number; list?: number[]; key?: string[] } = {},
) {
  const builder = new BatchBuilder(COLUMNS);
  for (const [id, a, b] of rows) appendRecord(builder, { id, a, b });
  const sums = new RowSums({ columns: COLUMNS, primaryKey: key }, { ranges, ...(list && { list }) });
  for (const { numRows, data } of RecordBatchReader.from(Buffer.concat(builder.finish().body)))
    sums.add({ length: numRows, columns: data.children });
  return sums;
}

const ROWS: Row[] = Array.from({ length: 100 }, (_, id) => [id, `a${id}`, id % 3 === 0 ? null : `b${id % 7}`]);

test('the sums do not depend on the order of rows, nor on how they are divided', () => {
  const parts = sumsOf(ROWS.slice(0, 30));
  parts.addAll(sumsOf(ROWS.slice(30)));
  expect(parts.ranges).toEqual(sumsOf(ROWS.toReversed()).ranges);
  expect(parts.ranges.reduce((total, { rows }) => total + rows, 0)).toBe(100);
});

test.each<[what: string, rows: Row[]]>([
  ['a lost row', ROWS.slice(1)],
  ['a row that is there twice', [...ROWS, ROWS[0]!]],
  ['a pair that is there twice, which XOR would not see', [...ROWS, ROWS[0]!, ROWS[0]!]],
  ['an altered value', ROWS.map(([id, a, b]) => [id, id === 7 ? 'other' : a, b])],
  ['two swapped values', ROWS.map(([id, a, b]) => [id, id === 4 ? 'a5' : id === 5 ? 'a4' : a, b])],
  ['values swapped between columns', ROWS.map(([id, a, b]) => (id === 4 ? [id, b, a] : [id, a, b]))],
  ['an empty text for null', ROWS.map(([id, a, b]) => [id, a, b ?? ''])],
  [
    'text that moves from one column to the next',
    ROWS.map(([id, a, b]) => (id === 4 ? [id, 'a4|2:b4', null] : [id, a, b])),
  ],
])('%s makes another sum', (_, rows) => {
  expect(sumsOf(rows).ranges).not.toEqual(sumsOf(ROWS).ranges);
});

test('rows of the ranges that are asked for are listed by key', () => {
  const [first] = sumsOf(ROWS).ranges;
  const { listed, ranges } = sumsOf(ROWS, { list: [first!.range] });
  expect(ranges).toEqual([]);
  expect(listed).toHaveLength(first!.rows);
  const total = listed.reduce((sum, row) => sum + BigInt(`0x${row.sum}`), 0n);
  expect(BigInt.asUintN(64, total).toString(16).padStart(16, '0')).toBe(first!.sum);
});

test('without a key rows fall into ranges by all of their values', () => {
  const { listed } = sumsOf([[1, 'x', null]], { ranges: 1, list: [0], key: [] });
  expect(listed.map(({ key }) => key)).toEqual([['1', 'x', null]]);
});

test.each([
  ['boolean', 'true', true],
  ['int', '-7', -7],
  ['long', '9007199254740993', '9007199254740993'],
  ['double', '3ff8000000000000', 1.5],
  ['double', 'NaN', 'NaN'],
  ['double', 'fff0000000000000', '-Infinity'],
  ['binary', 'ff00', '/wA='],
  ['decimal(5,2)', '1.50', '1.50'],
  ['string', 'true', 'true'],
])('the canonical text of a %s, %s, is the value %s in JSON', (type, text, value) => {
  expect(parseCanonical(type, text)).toBe(value);
  expect(isFreeText(type)).toBe(type === 'string');
});
