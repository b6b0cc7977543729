import type { Column, ColumnType } from '@fjord/core';

const base64 = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64');
const nested: ColumnType = {
  type: 'struct',
  fields: [
    { name: 'a', type: 'int' },
    { name: 'l', type: { type: 'list', element: 'decimal(20,3)' } },
  ],
};

/** Each type with values whose extremes come in different row groups: one row group is two rows. */
const CASES: [ColumnType, unknown[]][] = [
  ['boolean', [true, true, false, null, null, true]],
  ['int', [1, 255, -(2 ** 31), 256, 2 ** 31 - 1, null]],
  ['long', ['1', '255', '-9223372036854775808', '256', '9223372036854775807', null]],
  ['float', [1.5, -1, 'NaN', -2.5, 3.25, null]],
  ['double', [1.5, 1e-300, 'NaN', -1e300, 1e300, null]],
  ['decimal(9,2)', ['0.01', '-9999999.99', '2.55', '2.56', '9999999.99', null]],
  ['decimal(18,4)', ['-0.0128', '0.0128', '-99999999999999.9999', '1.0000', '99999999999999.9999', null]],
  ['decimal(38,10)', ['-0.0000000001', '-9999999999999999999999999999.9999999999', '5.5', '300.0', '1.0', null]],
  ['date', ['1970-01-01', '1969-12-31', '0001-01-01', '2024-02-29', '9999-12-31', null]],
  ['time', ['00:00:00', '00:00:00.000256', '12:00:00', '23:59:59.999999', '00:00:00.000255', null]],
  [
    'timestamp',
    [
      '1970-01-01T00:00:00',
      '1969-12-31T23:59:59.999999',
      '0001-01-01T00:00:00',
      '9999-12-31T23:59:59.999999',
      '2024-01-01T00:00:00',
      null,
    ],
  ],
  [
    'timestamptz',
    [
      '1970-01-01T00:00:00Z',
      '1969-12-31T23:59:59.999999Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999Z',
      '2024-01-01T00:00:00Z',
      null,
    ],
  ],
  ['string', ['', `${'z'.repeat(15)}😀😀`, 'é', '\u0000', `${'z'.repeat(15)}😀`, null]],
  [
    'uuid',
    [
      '00000000-0000-0000-0000-000000000001',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '80000000-0000-0000-0000-000000000000',
      null,
      null,
      null,
    ],
  ],
  [
    'binary',
    [base64([]), base64(Array.from({ length: 20 }, () => 200)), base64([255]), base64([0, 1]), base64([128]), null],
  ],
  ['fixed(3)', [base64([0, 0, 1]), base64([128, 0, 0]), base64([127, 255, 255]), base64([255, 0, 0]), null, null]],
  [{ type: 'list', element: 'string' }, [['a', null], [], ['b'], null, ['é', 'ü'], null]],
  [{ type: 'list', element: { type: 'list', element: 'int' } }, [[[1], []], [], [null], null, [[2, null]], null]],
  [
    { type: 'map', key: 'string', value: 'double' },
    [
      [['k', 1.5]],
      [],
      [
        ['a', null],
        ['b', 2],
      ],
      null,
      null,
      null,
    ],
  ],
  [nested, [{ a: 1, l: ['1.5'] }, { a: null, l: null }, null, { a: -5, l: [] }, { a: 300, l: [null, '-2'] }, null]],
];

/** A nullable column of each type. */
export const columns = CASES.map(([type], index): Column => ({ name: `c${index}`, type, nullable: true }));

const rowAt = (row: number) => Object.fromEntries(CASES.map(([, values], index) => [`c${index}`, values[row]]));

/** Six rows of them. */
export const allRows = [0, 1, 2, 3, 4, 5].map(rowAt);
