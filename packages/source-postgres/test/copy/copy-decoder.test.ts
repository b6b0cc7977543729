import type { ColumnType } from '@fjord/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UnrepresentablePolicy } from '../../src/config.ts';
import type { CopyColumn } from '../../src/copy/copy-column.ts';
import type { Wire } from '../../src/copy/wire.ts';
import { array, copyBytes, message } from './copy-bytes.ts';
import { decode } from './decode.ts';

const column = (wire: Wire, type: ColumnType, changes: Partial<CopyColumn> = {}): CopyColumn => ({
  name: 'value',
  type,
  wire,
  nullable: true,
  isKey: false,
  ...changes,
});
const arrayOf = (element: Wire, dimensions = 1): Wire => ({ kind: 'array', element, dimensions, isRebuilt: false });
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const decodeOne = (copied: CopyColumn, bytes: Uint8Array | null, policy: UnrepresentablePolicy = 'null') => {
  const { rows, rejected } = decode([copied], [copyBytes([[bytes]])], { policy });
  return { value: rows[0]?.['value'], rejected: rejected['value'] ?? 0 };
};

describe('values', () => {
  // Bytes as PostgreSQL's send functions give them.
  test.each<[Wire, ColumnType, string, unknown]>([
    ['bool', 'boolean', '01', true],
    ['bool', 'boolean', '00', false],
    ['int2', 'int', '8000', -32768],
    ['int2', 'int', '7fff', 32767],
    ['int4', 'int', '80000000', -2147483648],
    ['int4', 'int', '7fffffff', 2147483647],
    ['int8', 'long', '8000000000000000', '-9223372036854775808'],
    ['int8', 'long', '7fffffffffffffff', '9223372036854775807'],
    ['int8', 'long', '00000000ffffffff', '4294967295'],
    ['int8', 'long', 'ffffffff00000000', '-4294967296'],
    ['oid', 'long', 'ffffffff', '4294967295'],
    ['oid', 'long', '00000001', '1'],
    ['float4', 'float', '7fc00000', 'NaN'],
    ['float4', 'float', 'ff800000', '-Infinity'],
    ['float4', 'float', '80000000', -0],
    ['float4', 'float', '3fc00000', 1.5],
    ['float8', 'double', '7ff8000000000000', 'NaN'],
    ['float8', 'double', '7ff0000000000000', 'Infinity'],
    ['float8', 'double', '8000000000000000', -0],
    ['float8', 'double', '0000000000000001', 5e-324],
    ['date', 'date', '00000000', '2000-01-01'],
    ['date', 'date', 'fff4dbf9', '0001-01-01'],
    ['date', 'date', '002c95d3', '9999-12-31'],
    ['time', 'time', '0000000000000000', '00:00:00.000000'],
    ['time', 'time', '000000141dd75fff', '23:59:59.999999'],
    ['timestamp', 'timestamp', '0000000000000000', '2000-01-01T00:00:00.000000'],
    ['timestamp', 'timestamp', 'ffffffffffffffff', '1999-12-31T23:59:59.999999'],
    ['timestamptz', 'timestamptz', 'fffca2fec4c82000', '1970-01-01T00:00:00.000000Z'],
    ['timestamptz', 'timestamptz', '0380e70b913b7fff', '9999-12-31T23:59:59.999999Z'],
    ['timestamp', 'timestamp', 'ff1fe2ffc59c6000', '0001-01-01T00:00:00.000000'],
    ['uuid', 'uuid', '0123456789abcdef0123456789abcdef', '01234567-89ab-cdef-0123-456789abcdef'],
    ['bytea', 'binary', '', ''],
    ['bytea', 'binary', '00ff', 'AP8='],
    ['text', 'string', '', ''],
    ['text', 'string', 'f09f9880', '😀'],
    ['jsonb', 'string', '017b7d', '{}'],
    ['numeric', 'decimal(9,2)', '0000 0000 0000 0002', '0.00'],
    ['numeric', 'decimal(9,2)', '0001 ffff 0000 0002 0064', '0.01'],
    ['numeric', 'decimal(9,2)', '0003 0001 4000 0002 03e7 270f 26ac', '-9999999.99'],
    ['numeric', 'decimal(12,0)', '0001 0001 0000 0000 0001', '10000'],
    ['numeric', 'decimal(30,20)', '0001 fffb 0000 0014 0001', '0.00000000000000000001'],
    ['numeric', 'decimal(38,0)', `000a 0009 0000 0000 0063 ${'270f'.repeat(9)}`, '9'.repeat(38)],
    ['numeric', 'decimal(38,0)', `000a 0009 4000 0000 0063 ${'270f'.repeat(9)}`, `-${'9'.repeat(38)}`],
  ])('%s as %s: %s is %j', (wire, type, bytes, expected) => {
    expect(decodeOne(column(wire, type), hex(bytes))).toEqual({ value: expected, rejected: 0 });
    expect(decodeOne(column(wire, type), null)).toEqual({ value: null, rejected: 0 });
  });

  const ints = column(arrayOf('int4'), { type: 'list', element: 'int' });
  test.each<[string, Buffer | null, unknown, number]>([
    ['a null', null, null, 0],
    ['an empty array', array([], []), [], 0],
    ['elements and nulls', array([3], [hex('00000001'), null, hex('ffffffff')]), [1, null, -1], 0],
    ['two dimensions, all elements in one list', array([1, 2], [hex('00000001'), hex('00000002')]), [1, 2], 1],
  ])('an array of int4 takes %s', (_, bytes, expected, rejected) => {
    expect(decodeOne(ints, bytes)).toEqual({ value: expected, rejected });
  });

  test('arrays keep their rows apart over many rows', () => {
    const texts = column(arrayOf('text'), { type: 'list', element: 'string' });
    const rows = Array.from({ length: 5000 }, (_, row) => Array.from({ length: row % 4 }, (__, k) => `${row}.${k}`));
    const bytes = copyBytes(
      rows.map((row) => [
        array(
          row.length ? [row.length] : [],
          row.map((item) => Buffer.from(item)),
        ),
      ]),
    );
    expect(decode([texts], [bytes]).rows.map(({ value }) => value)).toEqual(rows);
  });
});

describe('values that the type cannot hold', () => {
  test.each<[Wire, ColumnType, string, unknown]>([
    ['date', 'date', '7fffffff', '9999-12-31'],
    ['date', 'date', '80000000', '0001-01-01'],
    ['date', 'date', 'fff4dbf8', '0001-01-01'],
    ['date', 'date', '002c95d4', '9999-12-31'],
    ['timestamp', 'timestamp', '7fffffffffffffff', '9999-12-31T23:59:59.999999'],
    ['timestamptz', 'timestamptz', '8000000000000000', '0001-01-01T00:00:00.000000Z'],
    ['timestamptz', 'timestamptz', '0380e70b913b8000', '9999-12-31T23:59:59.999999Z'],
    ['timestamp', 'timestamp', 'ff1fe2ffc59c5fff', '0001-01-01T00:00:00.000000'],
    ['time', 'time', '000000141dd76000', '23:59:59.999999'],
  ])('%s %s %s follows the policy', (wire, type, bytes, nearest) => {
    expect(decodeOne(column(wire, type), hex(bytes), 'null')).toEqual({ value: null, rejected: 1 });
    expect(decodeOne(column(wire, type), hex(bytes), 'clamp')).toEqual({ value: nearest, rejected: 0 });
    expect(() => decodeOne(column(wire, type), hex(bytes), 'fail')).toThrow(
      'Column "value" of public.t holds a value that its type cannot hold.',
    );
    const required = column(wire, type, { nullable: false });
    expect(() => decodeOne(required, hex(bytes), 'null')).toThrow('holds a value that its type cannot hold');
    expect(decodeOne(required, hex(bytes), 'clamp')).toEqual({ value: nearest, rejected: 0 });
  });

  test('a numeric that is NaN has no nearest value', () => {
    const bytes = hex('0000 0000 c000 0000');
    expect(decodeOne(column('numeric', 'decimal(9,2)'), bytes, 'null')).toEqual({ value: null, rejected: 1 });
    expect(decodeOne(column('numeric', 'decimal(9,2)'), bytes, 'clamp')).toEqual({ value: null, rejected: 1 });
    expect(() => decodeOne(column('numeric', 'decimal(9,2)'), bytes, 'fail')).toThrow('cannot hold');
  });

  test('an infinite element of an array becomes a null element', () => {
    const dates = column(arrayOf('date'), { type: 'list', element: 'date' });
    const bytes = array([2], [hex('7fffffff'), hex('00000000')]);
    const { rows, rejected } = decode([dates], [copyBytes([[bytes]])]);
    expect({ rows, rejected }).toEqual({ rows: [{ value: [null, '2000-01-01'] }], rejected: { 'value.element': 1 } });
  });
});

const MIXED: CopyColumn[] = [
  column('int8', 'long', { name: 'id', nullable: false }),
  column('text', 'string', { name: 'text' }),
  column(arrayOf('int4'), { type: 'list', element: 'int' }, { name: 'list' }),
  column('bool', 'boolean', { name: 'flag' }),
];
const mixedRows = (count: number) =>
  Array.from({ length: count }, (_, row) => {
    const id = Buffer.alloc(8);
    id.writeBigInt64BE(BigInt(row));
    const int = Buffer.alloc(4);
    int.writeInt32BE(row);
    return [
      id,
      row % 3 === 0 ? null : Buffer.from(`text ${row} ${'x'.repeat((row * 37) % 100)}`),
      row % 4 === 0
        ? null
        : array(
            [row % 4],
            Array.from({ length: row % 4 }, () => int),
          ),
      row % 5 === 0 ? null : Buffer.from([row & 1]),
    ];
  });

describe('chunks of the socket', () => {
  const bytes = copyBytes(mixedRows(6));
  const whole = decode(MIXED, [bytes]);

  test('a whole COPY gives its rows and its other messages', () => {
    expect(whole.rows).toHaveLength(6);
    expect(whole.rows[1]).toEqual({ id: '1', text: `text 1 ${'x'.repeat(37)}`, list: [1], flag: true });
    expect(whole.messages).toEqual(['H', 'c', 'C', 'Z']);
  });

  test('a cut at any byte changes nothing', () => {
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(decode(MIXED, [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
  });

  test('random cuts change nothing', () => {
    const many = copyBytes(mixedRows(2000));
    const expected = decode(MIXED, [many]).rows;
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        expect(decode(MIXED, pieces(many, lengths), { batchBytes: 20_000 }).rows).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  test('messages between rows reach their callback in order and disturb nothing', () => {
    const [head, tail] = [copyBytes(mixedRows(2)), copyBytes(mixedRows(1))];
    const end = head.lastIndexOf(message('d', Buffer.from([0xff, 0xff])));
    const noticed = Buffer.concat([
      head.subarray(0, end),
      message('N', Buffer.from('SNOTICE\0\0')),
      head.subarray(end),
    ]);
    expect(decode(MIXED, [noticed]).messages).toEqual(['H', 'N', 'c', 'C', 'Z']);
    expect(decode(MIXED, [noticed]).rows).toHaveLength(2);
    expect(decode(MIXED, [tail]).rows).toHaveLength(1);
  });

  test('no rows give no batch', () => {
    expect(decode(MIXED, [copyBytes([])])).toEqual({
      rows: [],
      batchRows: [],
      rejected: {},
      messages: ['H', 'c', 'C', 'Z'],
    });
  });

  test('cells larger than a batch travel one by one', () => {
    const cell = Buffer.alloc(3_000_000, 'a');
    const large = copyBytes(Array.from({ length: 4 }, () => [cell]));
    const { batchRows, rows } = decode([column('text', 'string')], pieces(large, [65_536]), { batchBytes: 1 << 20 });
    expect(batchRows).toEqual([1, 1, 1, 1]);
    expect(rows.every(({ value }) => value === cell.toString())).toBe(true);
  });

  test('a row with another number of fields is a fault', () => {
    expect(() => decode([column('int4', 'int')], [copyBytes(mixedRows(1))])).toThrow(
      'COPY sent 4 fields for 1 columns',
    );
  });
});

/** Cuts bytes into pieces of the given lengths, over and over. */
function* pieces(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const next = at + (lengths[index % lengths.length] ?? 1);
    yield bytes.subarray(at, next);
    at = next;
  }
}
