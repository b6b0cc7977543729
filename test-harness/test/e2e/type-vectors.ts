import type { CanonicalValue, TableContents } from '../../src/index.ts';

/**
 * A column of a type with its boundary values as PostgreSQL literals, and what it becomes in Iceberg. `expected` is the SQL that gives a
 * value in the readers' canonical text, by the column's name; without it the column itself does. `isJson`: it gives that as JSON.
 */
export type TypeVector = {
  name: string;
  type: string;
  literals: string[];
  becomes: string;
  expected?: (column: string) => string;
  isJson?: true;
};

const plain = (name: string, type: string, becomes: string, literals: string[]): TypeVector => ({
  name,
  type,
  becomes,
  literals,
});
const printed = (name: string, type: string, literals: string[]): TypeVector => ({
  ...plain(name, type, 'string', literals),
  expected: (column) => `${column}::text`,
});
const composed = (vector: Omit<TypeVector, 'isJson'>): TypeVector => ({ ...vector, isJson: true });

/** What the columns need before their table can be made. */
export const SETUP: readonly string[] = [
  'CREATE EXTENSION hstore',
  'CREATE EXTENSION citext',
  'CREATE EXTENSION ltree',
  `CREATE TYPE mood AS ENUM ('sad', 'so "so"')`,
  'CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > -1000)',
  'CREATE DOMAIN grid AS integer[][]',
  'CREATE TYPE place AS (x double precision, y real, "what is it" text)',
  'CREATE TYPE visit AS (at place, cost price, mood mood, moods mood[], how_long interval, size numeric, open boolean, tags hstore)',
  'CREATE TYPE nothing AS ()',
  'CREATE TYPE floats AS RANGE (subtype = double precision)',
];

const NUMBERS: TypeVector[] = [
  plain('c_bool', 'boolean', 'boolean', ['true', 'false']),
  plain('c_int2', 'smallint', 'int', ['-32768', '32767', '0']),
  plain('c_int4', 'integer', 'int', ['-2147483648', '2147483647', '0']),
  plain('c_int8', 'bigint', 'long', ['-9223372036854775808', '9223372036854775807', '0', '4294967296', '-4294967297']),
  plain('c_float4', 'real', 'float', ['1.17549435e-38', '-3.4028235e+38', '0.1', 'NaN', 'Infinity', '-Infinity', '-0']),
  plain('c_float8', 'double precision', 'double', [
    '5e-324',
    '-1.7976931348623157e+308',
    '0.1',
    'NaN',
    'Infinity',
    '-Infinity',
    '-0',
  ]),
  plain('c_num_9_2', 'numeric(9,2)', 'decimal(9, 2)', ['9999999.99', '-9999999.99', '0', '0.01', '-0.01', '100']),
  plain('c_num_18_4', 'numeric(18,4)', 'decimal(18, 4)', [
    '99999999999999.9999',
    '-99999999999999.9999',
    '0.0001',
    '10000',
    '12345678.9',
  ]),
  plain('c_num_38_10', 'numeric(38,10)', 'decimal(38, 10)', [
    '9999999999999999999999999999.9999999999',
    '-9999999999999999999999999999.9999999999',
    '0.0000000001',
  ]),
  plain('c_num_38_38', 'numeric(38,38)', 'decimal(38, 38)', [
    '0.99999999999999999999999999999999999999',
    '-0.00000000000000000000000000000000000001',
  ]),
  plain('c_num_5_0', 'numeric(5)', 'decimal(5, 0)', ['99999', '-99999', '10000', '7']),
  plain('c_num_negative', 'numeric(3,-5)', 'decimal(8, 0)', ['99900000', '-12300000', '0']),
  plain('c_num_small', 'numeric(3,5)', 'decimal(5, 5)', ['0.00999', '-0.00001']),
  printed('c_num_free', 'numeric', [
    '123456789012345678901234567890.123456789',
    '-0.5',
    '1.500',
    'NaN',
    'Infinity',
    '-Infinity',
  ]),
  printed('c_num_50', 'numeric(50,5)', ['123456789012345678901234567890123456789012345.12345']),
  printed('c_num_1000', 'numeric(1000,500)', [`${'9'.repeat(500)}.${'9'.repeat(500)}`]),
  {
    ...plain('c_money', 'money', 'decimal(19, 2)', ['12.34', '-92233720368547758.08', '92233720368547758.07']),
    expected: (column) => `${column}::numeric(19,2)`,
  },
  plain('c_oid', 'oid', 'long', ['0', '4294967295']),
  { ...plain('c_xid', 'xid', 'long', ['3', '4294967295']), expected: (column) => `${column}::text` },
  {
    ...plain('c_xid8', 'xid8', 'decimal(20, 0)', ['0', '9223372036854775808', '18446744073709551615']),
    expected: (column) => `${column}::text`,
  },
];

const TIMES: TypeVector[] = [
  plain('c_date', 'date', 'date', ['0001-01-01', '9999-12-31', '1970-01-01', '1969-12-31', '2000-02-29', '1999-12-31']),
  plain('c_time', 'time', 'time', ['00:00:00', '23:59:59.999999', '12:34:56.000001']),
  plain('c_ts', 'timestamp', 'timestamp', [
    '0001-01-01 00:00:00',
    '9999-12-31 23:59:59.999999',
    '1970-01-01 00:00:00',
    '1969-12-31 23:59:59.999999',
    '1999-12-31 23:59:59.5',
    '2000-01-01',
  ]),
  plain('c_tstz', 'timestamptz', 'timestamptz', [
    '0001-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999999+00',
    '2024-03-31 02:30:00+02',
    '1969-12-31 23:59:59.999999-08',
  ]),
  printed('c_timetz', 'timetz', ['12:34:56.789+02', '23:59:59.999999-12', '24:00:00+15:59:59']),
  printed('c_interval', 'interval', [
    '1 year 2 months 3 days 04:05:06.789',
    '-1 mon +1 day',
    '-00:00:00.000001',
    '0',
    '178000000 years',
    'infinity',
    '-infinity',
  ]),
];

const TEXTS: TypeVector[] = [
  plain('c_text', 'text', 'string', [
    '',
    ' ',
    'plain',
    "it's",
    'emoji 😀 and ünïcödé',
    'a\nb\tc',
    '\u{10ffff}',
    'x'.repeat(5000),
  ]),
  plain('c_varchar', 'varchar(20)', 'string', ['', 'twenty characters ok']),
  plain('c_bpchar', 'char(6)', 'string', ['abc', '', ' lead']),
  plain('c_name', 'name', 'string', ['', 'a "name"', 'n'.repeat(63)]),
  printed('c_char', '"char"', ['', 'x', String.raw`\377`]),
  plain('c_citext', 'citext', 'string', ['MiXed', '']),
  plain('c_json', 'json', 'string', ['{"a":  1, "a": 2}', 'null', '"x"', '[1.10]', String.raw`{"nul": "\u0000"}`]),
  plain('c_jsonb', 'jsonb', 'string', [
    '{"b": [1, 2.50, null], "a": "é"}',
    '123456789012345678901234567890',
    String.raw`"\\u0000"`,
  ]),
  printed('c_xml', 'xml', ['<a>1</a>', 'no <b/> root', '<?xml version="1.0"?><ü/>']),
  plain('c_uuid', 'uuid', 'uuid', [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '123e4567-e89b-12d3-a456-426614174000',
  ]),
  plain('c_bytea', 'bytea', 'binary', ['\\x', '\\x00', '\\x00ff10', '\\xdeadbeef']),
  plain('c_enum', 'mood', 'string', ['sad', 'so "so"']),
];

const OTHERS: TypeVector[] = [
  printed('c_bit', 'bit(5)', ['10101', '00000']),
  printed('c_varbit', 'varbit', ['', '1', '0'.repeat(70)]),
  printed('c_inet', 'inet', ['192.168.0.1/24', '::1', '10.0.0.1']),
  printed('c_cidr', 'cidr', ['192.168.0.0/24', '::/0']),
  printed('c_macaddr', 'macaddr', ['08:00:2b:01:02:03']),
  printed('c_macaddr8', 'macaddr8', ['08:00:2b:01:02:03:04:05']),
  printed('c_tsvector', 'tsvector', ['fat cat', "'a quote''d':1A,2B"]),
  printed('c_tsquery', 'tsquery', ['fat & (rat | !cat:ab)']),
  printed('c_int4range', 'int4range', ['[1,5)', 'empty', '(,)', '[-2147483648,]']),
  printed('c_numrange', 'numrange', ['(1.50,2.000]', '[NaN,NaN]']),
  printed('c_tstzrange', 'tstzrange', [
    '[2024-02-29 12:00+02,infinity)',
    '[,"0044-03-15 00:00+00 BC"]',
    '(-infinity,infinity)',
  ]),
  printed('c_daterange', 'daterange', ['[2024-02-29,2024-02-29]', '[-infinity,294276-12-31)']),
  printed('c_ownrange', 'floats', ['[0.1,NaN]', '(-Infinity,5e-324)']),
  printed('c_multirange', 'int8multirange', ['{}', '{[1,3),[5,7)}', '{(,)}']),
  printed('c_point', 'point', ['(1.5,-2)', '(NaN,Infinity)']),
  printed('c_polygon', 'polygon', ['((0,0),(1,0.1),(1,1))']),
  printed('c_regclass', 'regclass', ['pg_class', '0']),
  printed('c_regtype', 'regtype', ['integer', 'double precision[]']),
  printed('c_lsn', 'pg_lsn', ['16/B374D848', 'FFFFFFFF/FFFFFFFF', '0/0']),
  printed('c_snapshot', 'pg_snapshot', ['10:20:10,14,15']),
  printed('c_ltree', 'ltree', ['Top.Science.Astronomy', '']),
  printed('c_nothing', 'nothing', ['()']),
  plain('c_domain', 'price', 'decimal(10, 2)', ['12.34', '-0.01']),
];

const ARRAYS: TypeVector[] = [
  plain('c_ints', 'integer[]', 'list<int>', ['{}', '{1,NULL,-3}', '[5:7]={1,2,3}', '{NULL}']),
  plain('c_texts', 'text[]', 'list<string>', ['{}', '{"a,b","q\\"uote",NULL,"","NULL"}']),
  plain('c_nums', 'numeric(6,2)[]', 'list<decimal(6, 2)>', ['{1.10,-2.25,NULL}']),
  plain('c_stamps', 'timestamptz[]', 'list<timestamptz>', ['{"2024-02-29 12:00:00+00",NULL}']),
  plain('c_uuids', 'uuid[]', 'list<uuid>', ['{123e4567-e89b-12d3-a456-426614174000}']),
  plain('c_ints_2', 'integer[][]', 'list<list<int>>', ['{}', '{{1,2,3},{NULL,5,6}}', '[0:1][-1:-1]={{1},{2}}']),
  plain('c_bools_3', 'boolean[][][]', 'list<list<list<boolean>>>', ['{{{t,f},{t,NULL}},{{f,f},{t,t}}}']),
  plain('c_grid', 'grid', 'list<list<int>>', ['{{1},{2}}']),
  plain('c_json_2', 'jsonb[][]', 'list<list<string>>', ['{{"{\\"a\\": 1}",NULL},{"[]","null"}}']),
  {
    ...plain('c_spans', 'interval[][]', 'list<list<string>>', ['{{1 day,NULL},{-1 mon,01:00}}']),
    expected: (column) => `${column}::text[]`,
  },
];

const place = (value: string) =>
  `CASE WHEN ${value} IS DISTINCT FROM NULL THEN json_build_object('x', (${value}).x::text, 'y', (${value}).y::text,
   'what is it', (${value})."what is it") END`;
const pairs = (value: string) =>
  `CASE WHEN ${value} IS NOT NULL THEN
     coalesce((SELECT json_agg(json_build_array(p.key, p.value)) FROM each(${value}) AS p), '[]') END`;
const visit = (value: string) =>
  `CASE WHEN ${value} IS DISTINCT FROM NULL THEN json_build_object('at', ${place(`(${value}).at`)},
   'cost', (${value}).cost::text, 'mood', (${value}).mood::text, 'moods', to_json((${value}).moods::text[]),
   'how_long', (${value}).how_long::text, 'size', (${value}).size::text, 'open', (${value}).open::text,
   'tags', ${pairs(`(${value}).tags`)}) END`;
const each = (array: string, item: (value: string) => string) =>
  `CASE WHEN ${array} IS NOT NULL THEN
     coalesce((SELECT json_agg(${item('u.e')}) FROM (SELECT unnest(${array}) AS e) AS u), '[]') END`;
const PLACE = 'struct<x: double, y: float, what is it: string>';
const VISIT = `struct<at: ${PLACE}, cost: decimal(10, 2), mood: string, moods: list<string>, how_long: string, size: string, open: boolean, tags: map<string, string>>`;
const VISITS = [
  String.raw`("(1.5,-0,\"so, \"\"far\"\"\")",12.34,sad,"{sad,NULL}","1 day",1.50,t,"a=>1, b=>NULL")`,
  '(,,,,,,,)',
  '("(,,)",-0.01,"so ""so""",{},-00:00:01,NaN,f,"")',
];
const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const NESTED: TypeVector[] = [
  composed({
    ...plain('c_hstore', 'hstore', 'map<string, string>', ['', 'a=>1', '"k ü"=>NULL, "q\\""=>"", "long"=>"v"']),
    expected: pairs,
  }),
  composed({
    ...plain('c_place', 'place', PLACE, ['(0.1,NaN,)', '(,,)', '(-Infinity,0.1,"a, ""b""")']),
    expected: place,
  }),
  composed({ ...plain('c_visit', 'visit', VISIT, VISITS), expected: visit }),
  composed({
    ...plain('c_places', 'place[]', `list<${PLACE}>`, ['{}', '{"(1,2,)",NULL,"(,,x)"}']),
    expected: (column) => each(column, place),
  }),
  composed({
    ...plain('c_visits', 'visit[]', `list<${VISIT}>`, [`{${VISITS.map(quoted).join(',')},NULL}`, '{}', '{NULL}']),
    expected: (column) => each(column, visit),
  }),
  composed({
    ...plain('c_hstores', 'hstore[]', 'list<map<string, string>>', ['{}', '{"a=>1",NULL,""}']),
    expected: (column) => each(column, pairs),
  }),
];

/** Every type of docs/types.md that a plain PostgreSQL has, at its boundaries; nothing here is beyond what its column can hold. */
export const TYPE_VECTORS: readonly TypeVector[] = [...NUMBERS, ...TIMES, ...TEXTS, ...OTHERS, ...ARRAYS, ...NESTED];

/**
 * The statements that make and fill the table `types`: a key, the vectors, and two generated columns; the last row is null everywhere.
 * Without what came after version `major` of PostgreSQL: infinite intervals (17) and columns that are computed when read (18).
 */
export function typesTable(major = 18): string[] {
  const columns = TYPE_VECTORS.map(({ name, type }) => `${name} ${type}`);
  const stored = 'doubled int GENERATED ALWAYS AS (id * 2) STORED';
  const computed = `tripled int GENERATED ALWAYS AS (id * 3) ${major < 18 ? 'STORED' : 'VIRTUAL'}`;
  const isKnown = (type: string, literal = '') => major >= 17 || type !== 'interval' || !literal.endsWith('infinity');
  const rows = Math.max(...TYPE_VECTORS.map(({ literals }) => literals.length));
  const names = TYPE_VECTORS.map(({ name }) => name).join(', ');
  return [
    ...SETUP,
    `CREATE TABLE types (id int PRIMARY KEY, ${columns.join(', ')}, ${stored}, ${computed})`,
    ...Array.from({ length: rows }, (_, row) => {
      const values = TYPE_VECTORS.map(({ type, literals }) =>
        quoteLiteral(isKnown(type, literals[row]) ? literals[row] : undefined, type),
      );
      return `INSERT INTO types (id, ${names}) VALUES (${row}, ${values.join(', ')})`;
    }),
    'INSERT INTO types (id) VALUES (1000)',
  ];
}

const quoteLiteral = (text: string | undefined, type: string) =>
  text === undefined ? 'NULL' : `'${text.replaceAll("'", "''")}'::${type}`;

/** The query that gives the table `types` as the readers should; its JSON is still text. */
export function expectedTypes(): string {
  const columns = TYPE_VECTORS.map(({ name, expected }) => (expected ? `${expected(name)} AS ${name}` : name));
  return `SELECT id, ${columns.join(', ')}, doubled, tripled FROM types`;
}

/**
 * The answer to `expectedTypes` with its JSON taken apart, as a reader should give it. PyIceberg 0.12 reads a null list of structs as an
 * empty one: it makes the list anew from its offsets, without the nulls (ArrowProjectionVisitor.list).
 */
export function parseExpected({ columns, rows }: TableContents, reader: string): TableContents {
  const vectors = new Map(TYPE_VECTORS.map((vector) => [vector.name, vector]));
  const parse = (value: CanonicalValue, column: number): CanonicalValue => {
    const vector = vectors.get(columns[column]?.name ?? '');
    if (value === null && reader === 'pyiceberg' && vector?.becomes.startsWith('list<struct')) return [];
    return typeof value === 'string' && vector?.isJson ? (JSON.parse(value) as CanonicalValue) : value;
  };
  return { columns, rows: rows.map((row) => row.map(parse)) };
}
