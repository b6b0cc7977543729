import type { Column } from '@fjord/core';
import type { NestedField } from '@fjord/iceberg';
import { describe, expect, test } from 'vitest';
import { decodeRows } from '../../src/partition/decode-rows.ts';
import { sortKeys } from '../../src/sort/sort-keys.ts';
import type { SortColumn } from '../../src/sort/sort-plan.ts';
import { areInOrder, orderRows } from '../../src/sort/sort-rows.ts';
import { batchOf, fieldsOf } from '../parquet/batches.ts';

type Order = Partial<Pick<SortColumn, 'transform' | 'isDescending' | 'nullsFirst'>>;

/** Sorts one column's values, given in several batches, and gives the numbers of its rows. */
function sorted(type: string, batches: readonly (readonly unknown[])[], order: Order = {}): number[] {
  const columns = [{ name: 'c', type, nullable: true }] as Column[];
  const column = sortColumn(fieldsOf(columns)[0]!, order);
  const keys = batches.flatMap((values) =>
    decodeRows(
      batchOf(
        columns,
        values.map((c) => ({ c })),
      ).body,
    ).map((rows) => sortKeys(rows, [column])),
  );
  const found = [...orderRows(keys)];
  expect(areInOrder(keys)).toBe(found.every((row, index) => row === index));
  return found;
}

function sortColumn({ name, type }: NestedField, order: Order): SortColumn {
  if (typeof type !== 'string') throw new Error('a nested column sorts nothing');
  return { index: 0, name, type, transform: 'identity', isDescending: false, nullsFirst: true, ...order };
}

/** Values of each type in ascending order, near each other where comparing them is not plain. */
const ASCENDING: [type: string, values: unknown[]][] = [
  ['boolean', [false, true]],
  ['int', [-2147483648, -1, 0, 7, 2147483647]],
  [
    'long',
    [
      '-9223372036854775808',
      '-9007199254740993',
      '-9007199254740992',
      '-1',
      '0',
      '4294967295',
      '4294967296',
      '9007199254740992',
      '9007199254740993',
      '9223372036854775807',
    ],
  ],
  ['float', ['-Infinity', -1.5, -0, 0, 1e-40, 1.5, 'Infinity', 'NaN']],
  ['double', ['-Infinity', -1e300, -1.5, -1.4999999999999998, -0, 0, 5e-324, 1.5, 'Infinity', 'NaN']],
  [
    'decimal(38,2)',
    [
      '-99999999999999999999999999999999999.00',
      '-0.01',
      '0.00',
      '0.01',
      '18446744073709551616.00',
      '18446744073709551616.01',
    ],
  ],
  ['date', ['0001-01-01', '1969-12-31', '1970-01-01', '2024-02-29']],
  [
    'timestamptz',
    [
      '1969-12-31T23:59:59.999999Z',
      '1970-01-01T00:00:00.000000Z',
      '2024-02-29T00:00:00.000001Z',
      '2024-02-29T00:00:00.000002Z',
    ],
  ],
  ['time', ['00:00:00.000000', '00:00:00.000001', '23:59:59.999999']],
  ['string', ['', '\u0000', 'a', 'abcdef', 'abcdef\u0000', 'abcdefg', 'abcdefh', 'b', 'ä', '\uffff', '🐟']],
  ['binary', ['', 'AA==', 'AAA=', 'AAE=', '/w==']],
  [
    'uuid',
    [
      '00000000-0000-4000-8000-000000000001',
      '7f000000-0000-4000-8000-000000000000',
      '80000000-0000-4000-8000-000000000000',
      '80000000-0000-4000-8000-000000000001',
    ],
  ],
  ['fixed(3)', ['AAAA', 'AAAB', '////']],
];

/** The numbers from 0 in an order that is no order, the same each time. */
const shuffled = (count: number) =>
  Array.from({ length: count }, (_, index) => index).toSorted(
    (a, b) => ((a * 7 + 3) % 11) - ((b * 7 + 3) % 11) || b - a,
  );

describe.each(ASCENDING)('%s', (type, values) => {
  const order = shuffled(values.length);
  const given = order.map((place) => values[place]);
  const half = values.length >> 1;

  test('is sorted over batches, nulls where the order says', () => {
    const rows = sorted(type, [[...given.slice(0, half), null], given.slice(half)]);
    const all = [...given.slice(0, half), null, ...given.slice(half)];
    expect(rows.map((row) => all[row])).toEqual([null, ...values]);
    const last = sorted(type, [all], { nullsFirst: false });
    expect(last.map((row) => all[row])).toEqual([...values, null]);
  });

  test('is sorted descending, nulls where the order says', () => {
    const all = [null, ...given];
    const rows = sorted(type, [all], { isDescending: true, nullsFirst: false });
    expect(rows.map((row) => all[row])).toEqual([...values.toReversed(), null]);
    expect(all[sorted(type, [all], { isDescending: true, nullsFirst: true })[0]!]).toBe(null);
  });
});

test.each([
  ['int', 'truncate[10]', [19, 10, -1, -10, 11, 5], [2, 3, 5, 0, 1, 4]],
  ['long', 'truncate[10]', ['19', '10', '-1', '9007199254740993'], [2, 0, 1, 3]],
  ['decimal(9,2)', 'truncate[50]', ['1.99', '1.49', '-0.01'], [2, 1, 0]],
  ['string', 'truncate[2]', ['öäz', 'öäa', 'öz', 'ab🐟', 'ab'], [3, 4, 2, 0, 1]],
  ['binary', 'truncate[1]', ['AAE=', 'AAA=', '/w=='], [0, 1, 2]],
  ['timestamptz', 'day', ['2024-01-02T01:00:00Z', '2024-01-01T09:00:00Z', '2024-01-01T01:00:00Z'], [1, 2, 0]],
  ['date', 'year', ['2024-05-01', '2024-01-01', '2023-01-01'], [2, 0, 1]],
] as const)(
  '%s by %s: rows that the transform does not tell apart stay as they are',
  (type, transform, values, order) => {
    expect(sorted(type, [values], { transform })).toEqual(order);
  },
);

test('by bucket, as the spec hashes', () => {
  // The spec's own example: 34 hashes to 2017239379.
  const values = Array.from({ length: 100 }, (_, index) => String(index));
  const buckets = sorted('long', [values], { transform: 'bucket[4]' });
  expect(new Set(buckets).size).toBe(100);
  expect(buckets.indexOf(34)).toBeGreaterThan(74);
});

test('further columns decide where the first does not', () => {
  const columns: Column[] = [
    { name: 'a', type: 'string', nullable: true },
    { name: 'b', type: 'long', nullable: true },
  ];
  const rows = [
    { a: 'x', b: '1' },
    { a: null, b: '2' },
    { a: 'x', b: '3' },
    { a: null, b: null },
    { a: 'x', b: null },
  ];
  const [batch] = decodeRows(batchOf(columns, rows).body);
  const [a, b] = fieldsOf(columns);
  const order = [
    sortColumn(a!, { nullsFirst: false }),
    { ...sortColumn(b!, { isDescending: true, nullsFirst: false }), index: 1 },
  ];
  expect([...orderRows([sortKeys(batch!, order)])]).toEqual([2, 0, 4, 1, 3]);
});

test('many rows are sorted as few are: by numbers of both signs, zeros and nulls, further columns where those are equal', () => {
  const columns: Column[] = [
    { name: 'a', type: 'double', nullable: true },
    { name: 'b', type: 'string', nullable: true },
  ];
  const rows = Array.from({ length: 10_000 }, (_, index) => ({
    a: index % 50 === 0 ? null : ((index * 7919) % 201) / 2 - 50 || 0,
    b: `same beginning ${(index * 31) % 997}`,
  }));
  const batches = [rows.slice(0, 3000), rows.slice(3000)].flatMap((some) => decodeRows(batchOf(columns, some).body));
  const [a, b] = fieldsOf(columns);
  for (const isDescending of [false, true]) {
    const order = [sortColumn(a!, { isDescending }), { ...sortColumn(b!, {}), index: 1 }];
    const found = orderRows(batches.map((batch) => sortKeys(batch, order)));
    const sign = isDescending ? -1 : 1;
    const rank = (row: number) => (rows[row]!.a === null ? -Infinity : sign * rows[row]!.a);
    const text = (row: number) => rows[row]!.b;
    const expected = [...rows.keys()].toSorted(
      (x, y) => rank(x) - rank(y) || (text(x) < text(y) ? -1 : text(x) > text(y) ? 1 : x - y),
    );
    expect([...found]).toEqual(expected);
  }
});

test.each([false, true])('many texts that begin alike are sorted by what follows, descending: %s', (isDescending) => {
  const columns: Column[] = [{ name: 'a', type: 'string', nullable: true }];
  const texts = Array.from({ length: 12_000 }, (_, index) => {
    if (index % 1000 === 0) return null;
    return `a beginning of all ${'x'.repeat(index % 3)}${(index * 7919) % 6007}${index % 5 === 0 ? '\u0000' : ''}`;
  });
  const [batch] = decodeRows(
    batchOf(
      columns,
      texts.map((a) => ({ a })),
    ).body,
  );
  const found = orderRows([sortKeys(batch!, [sortColumn(fieldsOf(columns)[0]!, { isDescending })])]);
  const compare = (x: number, y: number) => {
    const [a, b] = [texts[x] ?? '', texts[y] ?? ''];
    return a === b ? x - y : (a < b ? -1 : 1) * (isDescending && a !== '' && b !== '' ? -1 : 1);
  };
  expect([...found]).toEqual([...texts.keys()].toSorted(compare));
});
