import type { ColumnType } from '@fjord/core';
import { describe, expect, test } from 'vitest';
import type { UnrepresentablePolicy } from '../../src/config.ts';
import type { CopyColumn } from '../../src/copy/copy-column.ts';
import type { ScalarWire, Wire } from '../../src/copy/wire.ts';
import { array, copyBytes, field, record } from './copy-bytes.ts';
import { decode } from './decode.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const column = (wire: Wire, type: ColumnType, changes: Partial<CopyColumn> = {}): CopyColumn => ({
  name: 'value',
  type,
  wire,
  nullable: true,
  isKey: false,
  ...changes,
});
const decodeAll = (copied: CopyColumn, values: (Uint8Array | null)[], policy: UnrepresentablePolicy = 'null') => {
  const { rows, rejected } = decode([copied], [copyBytes(values.map((bytes) => [bytes]))], { policy });
  return { values: rows.map((row) => row['value']), rejected };
};
const lists = (dimensions: number, element: ScalarWire = 'int4'): Wire => ({
  kind: 'array',
  element,
  dimensions,
  isRebuilt: false,
});
const nested = (element: ColumnType, dimensions: number): ColumnType =>
  dimensions === 0 ? element : { type: 'list', element: nested(element, dimensions - 1) };

describe('arrays', () => {
  const ONE_TO_SIX = [1, 2, 3, 4, 5, 6].map(int);
  const BOX = array([1, 2, 3], ONE_TO_SIX);
  const TABLE = array([2, 3], ONE_TO_SIX);
  const ROW = array([6], ONE_TO_SIX);

  test.each<[string, number, Buffer, unknown, number]>([
    ['one in one', 1, ROW, [1, 2, 3, 4, 5, 6], 0],
    [
      'two in two',
      2,
      TABLE,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      0,
    ],
    [
      'three in three',
      3,
      BOX,
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      0,
    ],
    ['two in one', 1, TABLE, [1, 2, 3, 4, 5, 6], 1],
    ['three in one', 1, BOX, [1, 2, 3, 4, 5, 6], 1],
    ['three in two', 2, BOX, [[1, 2, 3, 4, 5, 6]], 1],
    ['one in two', 2, ROW, [[1, 2, 3, 4, 5, 6]], 1],
    ['one in three', 3, ROW, [[[1, 2, 3, 4, 5, 6]]], 1],
    [
      'two in three',
      3,
      TABLE,
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      1,
    ],
    ['none in three', 3, array([], []), [], 0],
  ])('%s dimensions keep all elements', (_, dimensions, bytes, expected, reshaped) => {
    const copied = column(lists(dimensions), nested('int', dimensions));
    const neighbour = array(
      Array.from({ length: dimensions }, () => 1),
      [int(9)],
    );
    const nine = Array.from({ length: dimensions }).reduce<unknown>((inner) => [inner], 9);
    for (const policy of ['null', 'clamp'] as const) {
      expect(decodeAll(copied, [neighbour, null, bytes, neighbour], policy)).toEqual({
        values: [nine, null, expected, nine],
        rejected: reshaped > 0 ? { value: 1 } : {},
      });
    }
    const failing = () => decodeAll(copied, [bytes], 'fail');
    const inKey = () => decodeAll({ ...copied, isKey: true }, [bytes]);
    for (const read of [failing, inKey]) {
      if (reshaped > 0) expect(read).toThrow(/is declared with \d dimension\(s\) and holds an array of \d/);
      else expect(read().values).toEqual([expected]);
    }
  });

  test('a rebuilt array has the shape of the one it was made of', () => {
    const copied = column({ kind: 'array', element: 'int4', dimensions: 2, isRebuilt: true }, nested('int', 2));
    const rebuilt = (lengths: number[], items: (Buffer | null)[]) =>
      record([
        [1007, array(lengths.length === 0 ? [] : [lengths.length], lengths.map(int))],
        [1007, array(items.length === 0 ? [] : [items.length], items)],
      ]);
    const values = [rebuilt([2, 1], [int(1), null]), null, rebuilt([], []), rebuilt([2], [int(1), int(2)])];
    expect(decodeAll(copied, values)).toEqual({ values: [[[1], [null]], null, [], [[1, 2]]], rejected: { value: 1 } });
  });

  test('what does not fit is counted by its place, and refused in a key', () => {
    const copied = column(lists(2, 'date'), nested('date', 2));
    const bytes = array([1, 2], [hex('7fffffff'), hex('00000000')]);
    expect(decodeAll(copied, [bytes])).toEqual({
      values: [[[null, '2000-01-01']]],
      rejected: { 'value.element.element': 1 },
    });
    expect(() => decodeAll({ ...copied, isKey: true }, [bytes])).toThrow(
      'Column "value.element.element" of public.t holds a value that its type cannot hold.',
    );
  });
});

describe('composites', () => {
  const wire: Wire = {
    kind: 'struct',
    fields: [
      { wire: 'int4', oid: 23 },
      {
        wire: {
          kind: 'struct',
          fields: [
            { wire: 'date', oid: 1082 },
            { wire: lists(1), oid: 1007 },
          ],
        },
        oid: 4000,
      },
      { wire: 'text', oid: undefined },
    ],
  };
  const inner: ColumnType = {
    type: 'struct',
    fields: [
      { name: 'day', type: 'date' },
      { name: 'ints', type: nested('int', 1) },
    ],
  };
  const type: ColumnType = {
    type: 'struct',
    fields: [
      { name: 'id', type: 'int' },
      { name: 'inner', type: inner },
      { name: 'text', type: 'string' },
    ],
  };
  const innerOf = (day: Buffer | null, ints: Buffer | null) =>
    record([
      [1082, day],
      [1007, ints],
    ]);
  const outerOf = (id: Buffer | null, within: Buffer | null, text: string | null) =>
    record([
      [23, id],
      [4000, within],
      [25, text === null ? null : Buffer.from(text)],
    ]);

  test('become structs; a null is not one of nulls', () => {
    const values = [
      outerOf(int(7), innerOf(int(0), array([2], [int(1), null])), 'seven'),
      null,
      outerOf(null, null, null),
      outerOf(int(8), innerOf(null, null), ''),
    ];
    expect(decodeAll(column(wire, type), values).values).toEqual([
      { id: 7, inner: { day: '2000-01-01', ints: [1, null] }, text: 'seven' },
      null,
      { id: null, inner: null, text: null },
      { id: 8, inner: { day: null, ints: null }, text: '' },
    ]);
  });

  test('count what does not fit by its place', () => {
    const values = [outerOf(null, innerOf(hex('7fffffff'), array([1, 1], [int(1)])), null)];
    expect(decodeAll(column(wire, type), values).rejected).toEqual({ 'value.inner.day': 1, 'value.inner.ints': 1 });
    const clamped = decodeAll(column(wire, type), values, 'clamp');
    expect(clamped.values).toEqual([{ id: null, inner: { day: '9999-12-31', ints: [1] }, text: null }]);
    expect(() => decodeAll(column(wire, type), values, 'fail')).toThrow('Column "value.inner.day" of public.t');
  });

  test('in arrays keep their rows apart over many rows', () => {
    const copied = column({ kind: 'array', element: wire, dimensions: 1, isRebuilt: false }, nested(type, 1));
    const rows = Array.from({ length: 3000 }, (_, row) => Array.from({ length: row % 4 }, (__, k) => row * 4 + k));
    const bytes = rows.map((ids) =>
      array(
        ids.length === 0 ? [] : [ids.length],
        ids.map((id) => (id % 7 === 0 ? null : outerOf(int(id), innerOf(null, array([1], [int(id)])), `${id}`))),
      ),
    );
    const expected = rows.map((ids) =>
      ids.map((id) => (id % 7 === 0 ? null : { id, inner: { day: null, ints: [id] }, text: `${id}` })),
    );
    expect(decodeAll(copied, bytes).values).toEqual(expected);
  });

  test.each([
    ['another number of attributes', record([[23, null]])],
    [
      'an attribute of another type',
      record([
        [20, null],
        [4000, null],
        [25, null],
      ]),
    ],
  ])('with %s call for a new plan', (_, bytes) => {
    expect(() => decodeAll(column(wire, type), [bytes])).toThrow(
      expect.objectContaining({
        code: 'plan_outdated',
        message: 'The type of column "value" of public.t was altered since it was looked up.',
      }) as Error,
    );
  });
});

describe('types of extensions', () => {
  test('hstore becomes a map', () => {
    const map = (pairs: [string, string | null][]) => {
      const parts = pairs.flatMap(([key, value]) => [
        field(Buffer.from(key)),
        field(value === null ? null : Buffer.from(value)),
      ]);
      return Buffer.concat([int(pairs.length), ...parts]);
    };
    const values = [
      map([
        ['a', '1'],
        ['ü', null],
      ]),
      null,
      map([]),
      map([['', '']]),
    ];
    const type: ColumnType = { type: 'map', key: 'string', value: 'string' };
    expect(decodeAll(column('hstore', type), values).values).toEqual([
      [
        ['a', '1'],
        ['ü', null],
      ],
      null,
      [],
      [['', '']],
    ]);
  });

  test.each<[ScalarWire, string, unknown]>([
    ['vector', '0002 0000 3fc00000 80000000', [1.5, -0]],
    ['vector', '0000 0000', []],
    ['halfvec', '0003 0000 3c00 0001 fbff', [1, 2 ** -24, -65504]],
  ])('%s %s becomes a list of floats', (wire, bytes, expected) => {
    const values = [hex(bytes), null, hex(bytes)];
    expect(decodeAll(column(wire, nested('float', 1)), values).values).toEqual([expected, null, expected]);
  });
});

describe('wide numbers', () => {
  test.each<[ScalarWire, string, string, string]>([
    ['money', 'decimal(19,2)', '8000000000000000', '-92233720368547758.08'],
    ['money', 'decimal(19,2)', '7fffffffffffffff', '92233720368547758.07'],
    ['money', 'decimal(19,0)', 'ffffffffffffffff', '-1'],
    ['xid8', 'decimal(20,0)', 'ffffffffffffffff', '18446744073709551615'],
    ['xid8', 'decimal(20,0)', '8000000000000000', '9223372036854775808'],
  ])('%s as %s: %s is %s', (wire, type, bytes, expected) => {
    expect(decodeAll(column(wire, type), [hex(bytes), null]).values).toEqual([expected, null]);
  });

  // Digits to base 10,000: ndigits, weight, sign, dscale, digits.
  test.each<[string, string, string | null, string | null]>([
    ['1.50', '0002 0000 0000 0002 0001 1388', '1.50', '1.50'],
    ['0', '0000 0000 0000 0000', '0.00', '0.00'],
    ['0.005', '0001 ffff 0000 0003 0032', null, '0.01'],
    ['-0.005', '0001 ffff 4000 0003 0032', null, '-0.01'],
    ['0.0049', '0001 ffff 0000 0004 0031', null, '0.00'],
    ['1e36', '0001 0009 0000 0000 0001', null, `${'9'.repeat(36)}.99`],
    ['1e-10000', '0001 f63c 0000 2710 0001', null, '0.00'],
    ['-1e131071', '0001 7fff 4000 0000 03e8', null, `-${'9'.repeat(36)}.99`],
    ['Infinity', '0000 0000 d000 0000', null, `${'9'.repeat(36)}.99`],
    ['-Infinity', '0000 0000 f000 0000', null, `-${'9'.repeat(36)}.99`],
    ['NaN', '0000 0000 c000 0000', null, null],
  ])('numeric %s as decimal(38,2), exactly or by the policy', (_, bytes, exact, nearest) => {
    const copied = column('unbounded numeric', 'decimal(38,2)');
    const isLost = exact === null;
    expect(decodeAll(copied, [hex(bytes)])).toEqual({ values: [exact], rejected: isLost ? { value: 1 } : {} });
    expect(decodeAll(copied, [hex(bytes)], 'clamp').values).toEqual([nearest]);
    if (isLost) expect(() => decodeAll(copied, [hex(bytes)], 'fail')).toThrow('cannot hold');
    else expect(decodeAll(copied, [hex(bytes)], 'fail').values).toEqual([exact]);
  });
});
