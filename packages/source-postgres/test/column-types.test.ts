import { formatColumnType } from '@fjord/core';
import { describe, expect, test } from 'vitest';
import { becomesNullable, mapColumnType, type PgType, selectExpression } from '../src/column-types.ts';

const type = (oid: number, name: string, changes: Partial<PgType> = {}): PgType => ({
  oid,
  namespace: 'pg_catalog',
  name,
  kind: 'b',
  baseType: 0,
  baseModifier: -1,
  element: 0,
  isArray: false,
  ...changes,
});
const array = (oid: number, name: string, element: number) => type(oid, name, { element, isArray: true });
const numericModifier = (precision: number, scale: number) => ((precision << 16) | (scale & 0x7ff)) + 4;

const MOOD = 20_000;
const MOODS = 20_001;
const PRICE = 20_002;
const PRICES = 20_003;
const DEAR_PRICE = 20_004;
const POINT_3D = 20_005;
const MY_TEXT = 20_006;
const SCALARS: [number, string][] = [
  [16, 'bool'],
  [17, 'bytea'],
  [18, 'char'],
  [19, 'name'],
  [20, 'int8'],
  [21, 'int2'],
  [23, 'int4'],
  [25, 'text'],
  [26, 'oid'],
  [114, 'json'],
  [142, 'xml'],
  [700, 'float4'],
  [701, 'float8'],
  [790, 'money'],
  [869, 'inet'],
  [1042, 'bpchar'],
  [1043, 'varchar'],
  [1082, 'date'],
  [1083, 'time'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1186, 'interval'],
  [1266, 'timetz'],
  [1560, 'bit'],
  [1700, 'numeric'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
];
const TYPES = new Map(
  [
    ...SCALARS.map(([oid, name]) => type(oid, name)),
    array(1007, '_int4', 23),
    array(1009, '_text', 25),
    array(1187, '_interval', 1186),
    array(1231, '_numeric', 1700),
    type(MOOD, 'mood', { namespace: 'public', kind: 'e' }),
    array(MOODS, '_mood', MOOD),
    type(PRICE, 'price', { namespace: 'public', kind: 'd', baseType: 1700, baseModifier: numericModifier(10, 2) }),
    array(PRICES, '_price', PRICE),
    type(DEAR_PRICE, 'dear_price', { namespace: 'public', kind: 'd', baseType: PRICE }),
    type(POINT_3D, 'point_3d', { namespace: 'public', kind: 'c' }),
    type(MY_TEXT, 'text', { namespace: 'public' }),
  ].map((row) => [row.oid, row]),
);

describe('mapping', () => {
  const rows: [string, number, number, string, string, string | undefined][] = [
    ['bool', 16, -1, 'boolean', 'bool', undefined],
    ['int2', 21, -1, 'int', 'int2', undefined],
    ['int4', 23, -1, 'int', 'int4', undefined],
    ['int8', 20, -1, 'long', 'int8', undefined],
    ['oid', 26, -1, 'long', 'oid', undefined],
    ['float4', 700, -1, 'float', 'float4', undefined],
    ['float8', 701, -1, 'double', 'float8', undefined],
    ['numeric(10,2)', 1700, numericModifier(10, 2), 'decimal(10,2)', 'numeric', undefined],
    ['numeric(38,38)', 1700, numericModifier(38, 38), 'decimal(38,38)', 'numeric', undefined],
    ['numeric(38,0)', 1700, numericModifier(38, 0), 'decimal(38,0)', 'numeric', undefined],
    ['numeric(39,0)', 1700, numericModifier(39, 0), 'string', 'text', 'text'],
    ['numeric(1000,500)', 1700, numericModifier(1000, 500), 'string', 'text', 'text'],
    ['numeric(5,-2)', 1700, numericModifier(5, -2), 'decimal(7,0)', 'numeric', undefined],
    ['numeric(36,-3)', 1700, numericModifier(36, -3), 'string', 'text', 'text'],
    ['numeric(3,5)', 1700, numericModifier(3, 5), 'decimal(5,5)', 'numeric', undefined],
    ['numeric(3,39)', 1700, numericModifier(3, 39), 'string', 'text', 'text'],
    ['numeric', 1700, -1, 'string', 'text', 'text'],
    ['date', 1082, -1, 'date', 'date', undefined],
    ['time(3)', 1083, 3, 'time', 'time', undefined],
    ['timetz', 1266, -1, 'string', 'text', 'text'],
    ['timestamp', 1114, -1, 'timestamp', 'timestamp', undefined],
    ['timestamptz', 1184, -1, 'timestamptz', 'timestamptz', undefined],
    ['uuid', 2950, -1, 'uuid', 'uuid', undefined],
    ['bytea', 17, -1, 'binary', 'bytea', undefined],
    ['json', 114, -1, 'string', 'text', undefined],
    ['jsonb', 3802, -1, 'string', 'jsonb', undefined],
    ['text', 25, -1, 'string', 'text', undefined],
    ['varchar(9)', 1043, 13, 'string', 'text', undefined],
    ['char(9)', 1042, 13, 'string', 'text', undefined],
    ['name', 19, -1, 'string', 'text', undefined],
    ['"char"', 18, -1, 'string', 'text', 'text'],
    ['interval', 1186, -1, 'string', 'text', 'text'],
    ['money', 790, -1, 'string', 'text', 'text'],
    ['inet', 869, -1, 'string', 'text', 'text'],
    ['bit(3)', 1560, 3, 'string', 'text', 'text'],
    ['xml', 142, -1, 'string', 'text', 'text'],
    ['an enum', MOOD, -1, 'string', 'text', undefined],
    ['a domain', PRICE, -1, 'decimal(10,2)', 'numeric', undefined],
    ['a domain of a domain', DEAR_PRICE, -1, 'decimal(10,2)', 'numeric', undefined],
    ['a composite', POINT_3D, -1, 'string', 'text', 'text'],
    ["somebody's own type named text", MY_TEXT, -1, 'string', 'text', 'text'],
    ['a type nobody knows', 99_999, -1, 'string', 'text', 'text'],
    ['int4[]', 1007, -1, 'list<int>', 'int4', undefined],
    ['text[]', 1009, -1, 'list<string>', 'text', undefined],
    ['numeric(10,2)[]', 1231, numericModifier(10, 2), 'list<decimal(10,2)>', 'numeric', undefined],
    ['numeric[]', 1231, -1, 'list<string>', 'text', 'text[]'],
    ['interval[]', 1187, -1, 'list<string>', 'text', 'text[]'],
    ['an array of an enum', MOODS, -1, 'list<string>', 'text', undefined],
    ['an array of a domain', PRICES, -1, 'list<decimal(10,2)>', 'numeric', undefined],
  ];
  test.each(rows)('%s', (_, oid, modifier, column, wire, cast) => {
    const mapping = mapColumnType(oid, modifier, TYPES);
    expect({ column: formatColumnType(mapping.type), wire: mapping.wire, cast: mapping.cast }).toEqual({
      column,
      wire,
      cast,
    });
  });
});

describe('a NOT NULL column', () => {
  test.each([
    ['int4', 23, -1, false, false, false],
    ['text', 25, -1, false, false, false],
    ['numeric', 1700, -1, false, false, false],
    ['numeric(10,2)', 1700, numericModifier(10, 2), true, true, false],
    ['date', 1082, -1, true, false, false],
    ['time', 1083, -1, true, false, false],
    ['timestamp', 1114, -1, true, false, false],
    ['timestamptz', 1184, -1, true, false, false],
    ['int4[]', 1007, -1, true, true, false],
  ])('of type %s: nullable under null, clamp, fail', (_, oid, modifier, ...expected) => {
    const mapping = mapColumnType(oid, modifier, TYPES);
    const found = (['null', 'clamp', 'fail'] as const).map((policy) => becomesNullable(mapping, policy));
    expect(found).toEqual(expected);
  });
});

test('a cast stands in the select expression, behind the quoted name', () => {
  const name = 'a"b';
  expect(selectExpression({ name }, mapColumnType(23, -1, TYPES))).toBe('"a""b"');
  expect(selectExpression({ name }, mapColumnType(1186, -1, TYPES))).toBe('"a""b"::pg_catalog.text');
  expect(selectExpression({ name }, mapColumnType(1187, -1, TYPES))).toBe('"a""b"::pg_catalog.text[]');
});
