import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, temporaryFolder, type TemporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

/** Each type with its boundary values as PostgreSQL literals. */
const TYPES: [name: string, type: string, literals: string[]][] = [
  ['c_bool', 'boolean', ['true', 'false']],
  ['c_int2', 'smallint', ['-32768', '32767', '0']],
  ['c_int4', 'integer', ['-2147483648', '2147483647', '0']],
  ['c_int8', 'bigint', ['-9223372036854775808', '9223372036854775807', '0', '4294967296', '-4294967297']],
  ['c_oid', 'oid', ['0', '4294967295']],
  ['c_float4', 'real', ['1.17549435e-38', '-3.4028235e+38', '0.1', 'NaN', 'Infinity', '-Infinity']],
  ['c_float8', 'double precision', ['5e-324', '-1.7976931348623157e+308', '0.1', 'NaN', 'Infinity', '-Infinity']],
  ['c_num_9_2', 'numeric(9,2)', ['9999999.99', '-9999999.99', '0', '0.01', '-0.01', '100']],
  ['c_num_18_4', 'numeric(18,4)', ['99999999999999.9999', '-99999999999999.9999', '0.0001', '10000', '12345678.9']],
  [
    'c_num_38_10',
    'numeric(38,10)',
    ['9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999', '0.0000000001'],
  ],
  [
    'c_num_38_38',
    'numeric(38,38)',
    ['0.99999999999999999999999999999999999999', '-0.00000000000000000000000000000000000001'],
  ],
  ['c_num_5_0', 'numeric(5)', ['99999', '-99999', '10000', '7']],
  ['c_num_free', 'numeric', ['123456789012345678901234567890.123456789', '-0.5', 'NaN', 'Infinity']],
  ['c_num_50', 'numeric(50,5)', ['123456789012345678901234567890123456789012345.12345']],
  ['c_date', 'date', ['0001-01-01', '9999-12-31', '1970-01-01', '1969-12-31', '2000-02-29', '1999-12-31']],
  ['c_time', 'time', ['00:00:00', '23:59:59.999999', '12:34:56.000001']],
  [
    'c_ts',
    'timestamp',
    [
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59.999999',
      '1970-01-01 00:00:00',
      '1969-12-31 23:59:59.999999',
      '1999-12-31 23:59:59.5',
      '2000-01-01',
    ],
  ],
  [
    'c_tstz',
    'timestamptz',
    [
      '0001-01-01 00:00:00+00',
      '9999-12-31 23:59:59.999999+00',
      '2024-03-31 02:30:00+02',
      '1969-12-31 23:59:59.999999-08',
    ],
  ],
  [
    'c_uuid',
    'uuid',
    [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '123e4567-e89b-12d3-a456-426614174000',
    ],
  ],
  ['c_bytea', 'bytea', ['\\x', '\\x00', '\\x00ff10', '\\xdeadbeef']],
  ['c_text', 'text', ['', ' ', 'plain', "it''s", 'emoji 😀 and ünïcödé', 'a\nb\tc', '\u{10ffff}', 'x'.repeat(5000)]],
  ['c_varchar', 'varchar(20)', ['', 'twenty characters ok']],
  ['c_bpchar', 'char(6)', ['abc', '']],
  ['c_json', 'json', ['{"a":  1, "a": 2}', 'null', '"x"', '[1.10]']],
  ['c_jsonb', 'jsonb', ['{"b": [1, 2.50, null], "a": "é"}', '123456789012345678901234567890']],
  ['c_enum', 'mood', ['sad', 'so "so"']],
  ['c_domain', 'price', ['12.34', '-0.01']],
  ['c_interval', 'interval', ['1 year 2 months 3 days 04:05:06.789', '-1 mon +1 day']],
  ['c_money', 'money', ['12.34', '-92233720368547758.08']],
  ['c_timetz', 'timetz', ['12:34:56.789+02', '23:59:59.999999-12']],
  ['c_inet', 'inet', ['192.168.0.1/24', '::1']],
  ['c_bit', 'bit(5)', ['10101']],
  ['c_xml', 'xml', ['<a>1</a>']],
  ['c_tsvector', 'tsvector', ['fat cat']],
  ['c_range', 'int4range', ['[1,5)', 'empty']],
  ['c_point', 'point', ['(1.5,-2)']],
  ['c_ints', 'integer[]', ['{}', '{1,NULL,-3}', '[5:7]={1,2,3}']],
  ['c_texts', 'text[]', ['{}', '{"a,b","q\\"uote",NULL,""}']],
  ['c_nums', 'numeric(6,2)[]', ['{1.10,-2.25,NULL}']],
  ['c_stamps', 'timestamptz[]', ['{"2024-02-29 12:00:00+00",NULL}']],
  ['c_uuids', 'uuid[]', ['{123e4567-e89b-12d3-a456-426614174000}']],
];

/** Types whose values foreign readers cannot give back as PostgreSQL's own text: asserted apart, below. */
const AS_TEXT = new Set([
  'interval',
  'money',
  'timetz',
  'inet',
  'bit(5)',
  'xml',
  'tsvector',
  'int4range',
  'point',
  'numeric',
  'numeric(50,5)',
]);

let postgres: PostgresServer;
let folder: TemporaryFolder;
let pipeline: Pipeline;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await temporaryFolder('fjord-types');
  await postgres.query(`CREATE TYPE mood AS ENUM ('sad', 'so "so"')`);
  await postgres.query('CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > -1000)');
  await postgres.query(
    `CREATE TABLE types (id int PRIMARY KEY, ${TYPES.map(([name, type]) => `${name} ${type}`).join(', ')})`,
  );
  const rows = Math.max(...TYPES.map(([, , literals]) => literals.length));
  for (let row = 0; row < rows; row++) {
    const values = TYPES.map(([, type, literals]) =>
      literals[row] === undefined ? 'NULL' : `'${literals[row]}'::${type}`,
    );
    await postgres.query(`INSERT INTO types VALUES (${row}, ${values.join(', ')})`);
  }
  // Nulls everywhere.
  await postgres.query('INSERT INTO types (id) VALUES (1000)');
  pipeline = new Pipeline(folder.path, postgres);
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
});

afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

const selectAll = () =>
  `SELECT id, ${TYPES.map(([name, type]) => (AS_TEXT.has(type) ? `${name}::text AS ${name}` : name)).join(', ')} FROM types`;

test.each(['pyiceberg', 'duckdb'] as const)(
  '%s reads every type at its boundaries as PostgreSQL gives it',
  async (reader) => {
    const [actual, expected] = await Promise.all([pipeline.read(reader, 'types'), pipeline.expected(selectAll())]);
    expect(actual.columns.map(({ name }) => name)).toEqual(expected.columns.map(({ name }) => name));
    for (const [column, { name }] of expected.columns.entries()) {
      const pick = (rows: typeof actual.rows) => rows.map((row) => [row[0], row[column]]);
      expect(pick(actual.rows), name).toEqual(pick(expected.rows));
    }
  },
);

test('each type becomes the Iceberg type of the table in the README', async () => {
  const { columns } = await pipeline.read('pyiceberg', 'types');
  expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toMatchObject({
    id: 'int',
    c_int2: 'int',
    c_int8: 'long',
    c_oid: 'long',
    c_num_9_2: 'decimal(9, 2)',
    c_num_38_38: 'decimal(38, 38)',
    c_num_free: 'string',
    c_num_50: 'string',
    c_date: 'date',
    c_time: 'time',
    c_ts: 'timestamp',
    c_tstz: 'timestamptz',
    c_uuid: 'uuid',
    c_bytea: 'binary',
    c_json: 'string',
    c_domain: 'decimal(10, 2)',
    c_ints: 'list<int>',
    c_nums: 'list<decimal(6, 2)>',
  });
});
