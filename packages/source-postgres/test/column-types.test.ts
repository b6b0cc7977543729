import { formatColumnType } from '@fjord/core';
import { describe, expect, test } from 'vitest';
import {
  becomesNullable,
  mapColumnType,
  type PgType,
  type PgTypes,
  selectExpression,
  type TypeReference,
} from '../src/column-types.ts';
import type { ScalarWire, Wire } from '../src/copy/wire.ts';

const type = (oid: number, name: string, changes: Partial<PgType> = {}): PgType => ({
  oid,
  namespace: 'pg_catalog',
  name,
  kind: 'b',
  base: { oid: 0, modifier: -1, dimensions: 0 },
  element: 0,
  isArray: false,
  extension: null,
  attributes: [],
  ...changes,
});
const array = (oid: number, name: string, element: number) => type(oid, name, { element, isArray: true });
const numericModifier = (precision: number, scale: number) => ((precision << 16) | (scale & 0x7ff)) + 4;

const reference = (oid: number, modifier = -1, dimensions = 0): TypeReference => ({ oid, modifier, dimensions });

const MOOD = 20_000;
const MOODS = 20_001;
const PRICE = 20_002;
const PRICES = 20_003;
const DEAR_PRICE = 20_004;
const POINT_3D = 20_005;
const MY_TEXT = 20_006;
const SPAN = 20_007;
const SPANS = 20_008;
const NOTHING = 20_009;
const MATRIX = 20_010;
const HSTORE = 20_011;
const GEOMETRY = 20_012;
const VECTOR = 20_013;
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
const LIST: PgType[] = [
  ...SCALARS.map(([oid, name]) => type(oid, name)),
  array(1007, '_int4', 23),
  array(1009, '_text', 25),
  array(1187, '_interval', 1186),
  array(1231, '_numeric', 1700),
  type(MOOD, 'mood', { namespace: 'public', kind: 'e' }),
  array(MOODS, '_mood', MOOD),
  type(PRICE, 'price', { namespace: 'public', kind: 'd', base: reference(1700, numericModifier(10, 2)) }),
  array(PRICES, '_price', PRICE),
  type(DEAR_PRICE, 'dear_price', { namespace: 'public', kind: 'd', base: reference(PRICE) }),
  type(POINT_3D, 'point_3d', {
    namespace: 'public',
    kind: 'c',
    attributes: [
      { name: 'x', ...reference(701) },
      { name: 'y z', ...reference(PRICE) },
    ],
  }),
  type(SPAN, 'span', {
    namespace: 'public',
    kind: 'c',
    attributes: [
      { name: 'at', ...reference(POINT_3D) },
      { name: 'for "all"', ...reference(1186) },
    ],
  }),
  array(SPANS, '_span', SPAN),
  type(NOTHING, 'nothing', { namespace: 'public', kind: 'c' }),
  type(MATRIX, 'matrix', { namespace: 'public', kind: 'd', base: reference(1007, -1, 2) }),
  type(MY_TEXT, 'text', { namespace: 'public' }),
  type(HSTORE, 'hstore', { namespace: 'tools', extension: 'hstore' }),
  type(GEOMETRY, 'geometry', { namespace: 'tools', extension: 'postgis' }),
  type(VECTOR, 'vector', { namespace: 'tools', extension: 'vector' }),
];
const TYPES: PgTypes = {
  byOid: new Map(LIST.map((row) => [row.oid, row])),
  moneyScale: 2,
  unboundedNumeric: 'string',
};

const list = (element: ScalarWire, dimensions = 1): Wire => ({ kind: 'array', element, dimensions, isRebuilt: false });
const SPAN_WIRE: Wire = {
  kind: 'struct',
  fields: [
    {
      wire: {
        kind: 'struct',
        fields: [
          { wire: 'float8', oid: 701 },
          { wire: 'numeric', oid: PRICE },
        ],
      },
      oid: POINT_3D,
    },
    { wire: 'text', oid: undefined },
  ],
};

describe('mapping', () => {
  const rows: [string, TypeReference, string, unknown, string | undefined][] = [
    ['bool', reference(16), 'boolean', 'bool', undefined],
    ['int2', reference(21), 'int', 'int2', undefined],
    ['int4', reference(23), 'int', 'int4', undefined],
    ['int8', reference(20), 'long', 'int8', undefined],
    ['oid', reference(26), 'long', 'oid', undefined],
    ['float4', reference(700), 'float', 'float4', undefined],
    ['float8', reference(701), 'double', 'float8', undefined],
    ['numeric(10,2)', reference(1700, numericModifier(10, 2)), 'decimal(10,2)', 'numeric', undefined],
    ['numeric(38,38)', reference(1700, numericModifier(38, 38)), 'decimal(38,38)', 'numeric', undefined],
    ['numeric(38,0)', reference(1700, numericModifier(38, 0)), 'decimal(38,0)', 'numeric', undefined],
    ['numeric(39,0)', reference(1700, numericModifier(39, 0)), 'string', 'text', 'v::pg_catalog.text'],
    ['numeric(1000,500)', reference(1700, numericModifier(1000, 500)), 'string', 'text', 'v::pg_catalog.text'],
    ['numeric(5,-2)', reference(1700, numericModifier(5, -2)), 'decimal(7,0)', 'numeric', undefined],
    ['numeric(36,-3)', reference(1700, numericModifier(36, -3)), 'string', 'text', 'v::pg_catalog.text'],
    ['numeric(3,5)', reference(1700, numericModifier(3, 5)), 'decimal(5,5)', 'numeric', undefined],
    ['numeric(3,39)', reference(1700, numericModifier(3, 39)), 'string', 'text', 'v::pg_catalog.text'],
    ['numeric', reference(1700), 'string', 'text', 'v::pg_catalog.text'],
    ['date', reference(1082), 'date', 'date', undefined],
    ['time(3)', reference(1083, 3), 'time', 'time', undefined],
    ['timetz', reference(1266), 'string', 'text', 'v::pg_catalog.text'],
    ['timestamp', reference(1114), 'timestamp', 'timestamp', undefined],
    ['timestamptz', reference(1184), 'timestamptz', 'timestamptz', undefined],
    ['uuid', reference(2950), 'uuid', 'uuid', undefined],
    ['bytea', reference(17), 'binary', 'bytea', undefined],
    ['json', reference(114), 'string', 'text', undefined],
    ['jsonb', reference(3802), 'string', 'jsonb', undefined],
    ['text', reference(25), 'string', 'text', undefined],
    ['varchar(9)', reference(1043, 13), 'string', 'text', undefined],
    ['char(9)', reference(1042, 13), 'string', 'text', undefined],
    ['name', reference(19), 'string', 'text', undefined],
    ['"char"', reference(18), 'string', 'text', 'v::pg_catalog.text'],
    ['interval', reference(1186), 'string', 'text', 'v::pg_catalog.text'],
    ['inet', reference(869), 'string', 'inet text', 'v::pg_catalog.text'],
    ['bit(3)', reference(1560, 3), 'string', 'text', 'v::pg_catalog.text'],
    ['xml', reference(142), 'string', 'text', 'v::pg_catalog.text'],
    ['an enum', reference(MOOD), 'string', 'text', undefined],
    ['a domain', reference(PRICE), 'decimal(10,2)', 'numeric', undefined],
    ['a domain of a domain', reference(DEAR_PRICE), 'decimal(10,2)', 'numeric', undefined],
    ['money', reference(790), 'decimal(19,2)', 'money', undefined],
    ['hstore, in whatever schema', reference(HSTORE), 'map<string, string>', 'hstore', undefined],
    ['geometry', reference(GEOMETRY), 'binary', 'bytea', undefined],
    ['vector', reference(VECTOR), 'list<float>', 'vector', undefined],
    ['int4[][]', reference(1007, -1, 2), 'list<list<int>>', list('int4', 2), undefined],
    ['a domain of int4[][]', reference(MATRIX), 'list<list<int>>', list('int4', 2), undefined],
    [
      'a composite',
      reference(POINT_3D),
      'struct<x: double, y z: decimal(10,2)>',
      {
        kind: 'struct',
        fields: [
          { wire: 'float8', oid: 701 },
          { wire: 'numeric', oid: PRICE },
        ],
      },
      undefined,
    ],
    ['a composite without attributes', reference(NOTHING), 'string', 'text', 'v::pg_catalog.text'],
    [
      'a composite with an attribute that travels as text',
      reference(SPAN),
      'struct<at: struct<x: double, y z: decimal(10,2)>, for "all": string>',
      SPAN_WIRE,
      'CASE WHEN v IS DISTINCT FROM NULL THEN ROW((v)."at", (v)."for ""all"""::pg_catalog.text) END',
    ],
    [
      'an array of such composites',
      reference(SPANS),
      'list<struct<at: struct<x: double, y z: decimal(10,2)>, for "all": string>>',
      { kind: 'array', element: SPAN_WIRE, dimensions: 1, isRebuilt: true },
      'CASE WHEN v IS NOT NULL THEN ROW(' +
        'ARRAY(SELECT pg_catalog.array_length(v, d) FROM pg_catalog.generate_series(1, pg_catalog.array_ndims(v)) AS d), ' +
        'ARRAY(SELECT CASE WHEN u.e IS DISTINCT FROM NULL THEN ROW((u.e)."at", (u.e)."for ""all"""::pg_catalog.text) END ' +
        'FROM (SELECT pg_catalog.unnest(v) AS e) AS u)) END',
    ],
    ["somebody's own type named text", reference(MY_TEXT), 'string', 'text', 'v::pg_catalog.text'],
    ['a type nobody knows', reference(99_999), 'string', 'text', 'v::pg_catalog.text'],
    ['int4[]', reference(1007), 'list<int>', list('int4'), undefined],
    ['text[]', reference(1009), 'list<string>', list('text'), undefined],
    ['numeric(10,2)[]', reference(1231, numericModifier(10, 2)), 'list<decimal(10,2)>', list('numeric'), undefined],
    ['numeric[]', reference(1231), 'list<string>', list('text'), 'v::pg_catalog.text[]'],
    ['interval[]', reference(1187), 'list<string>', list('text'), 'v::pg_catalog.text[]'],
    ['an array of an enum', reference(MOODS), 'list<string>', list('text'), undefined],
    ['an array of a domain', reference(PRICES), 'list<decimal(10,2)>', list('numeric'), undefined],
  ];
  test.each(rows)('%s', (_, column, shown, wire, select) => {
    const mapping = mapColumnType(column, TYPES);
    const found = { type: formatColumnType(mapping.type), wire: mapping.wire, select: mapping.select?.('v') };
    expect(found).toEqual({ type: shown, wire, select });
  });
});

test.each([
  ['numeric', -1],
  ['numeric(39,0)', numericModifier(39, 0)],
])('%s becomes the decimal that the option asks for', (_, modifier) => {
  const mapping = mapColumnType(reference(1700, modifier), { ...TYPES, unboundedNumeric: 'decimal(38,10)' });
  expect(mapping).toEqual({ type: 'decimal(38,10)', wire: 'unbounded numeric', select: undefined, misfit: 'lost' });
});

test('money has the scale of the locale', () => {
  expect(mapColumnType(reference(790), { ...TYPES, moneyScale: 0 }).type).toBe('decimal(19,0)');
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
    ['int4[]', 1007, -1, false, false, false],
  ])('of type %s: nullable under null, clamp, fail', (_, oid, modifier, ...expected) => {
    const mapping = mapColumnType(reference(oid, modifier), TYPES);
    const found = (['null', 'clamp', 'fail'] as const).map((policy) => becomesNullable(mapping, policy));
    expect(found).toEqual(expected);
  });
});

test('a cast stands in the select expression, behind the quoted name', () => {
  const name = 'a"b';
  expect(selectExpression({ name }, mapColumnType(reference(23), TYPES))).toBe('"a""b"');
  expect(selectExpression({ name }, mapColumnType(reference(1186), TYPES))).toBe('"a""b"::pg_catalog.text');
  expect(selectExpression({ name }, mapColumnType(reference(1187), TYPES))).toBe('"a""b"::pg_catalog.text[]');
});
