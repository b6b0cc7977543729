import type { Column, Condition, Literal } from '@fjord/core';
import { compileCondition } from '@fjord/replication';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { RecordBatchReader } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderCondition } from '../src/condition-sql.ts';
import type { UnrepresentablePolicy } from '../src/config.ts';
import { connect, type Connection } from '../src/connection.ts';
import { loadStreamColumns, type StreamColumn } from '../src/stream-columns.ts';
import { chunkRequest, configFor, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

/** Each type with values at its edges; literals in the JSON form of the column's type, as the engine gives them. */
const TYPES: { sql: string; values: string[]; literals: Literal[]; isText?: boolean }[] = [
  { sql: 'boolean', values: ['true', 'false'], literals: [true, false] },
  { sql: 'smallint', values: ['-32768', '0', '32767'], literals: [-32769, -32768, 0, 32767, 2147483647] },
  { sql: 'integer', values: ['-2147483648', '0', '7', '2147483647'], literals: [-2147483648, 0, 7, 2147483647] },
  {
    sql: 'bigint',
    values: ['-9223372036854775808', '9007199254740993', '9007199254740992', '0'],
    literals: ['-9223372036854775808', '9007199254740992', '9007199254740993', '9223372036854775807'],
  },
  { sql: 'oid', values: ['0', '4294967295'], literals: ['-1', '0', '4294967295', '4294967296'] },
  {
    sql: 'real',
    values: ['0.1', '-0', '0', 'NaN', 'Infinity', '-Infinity', '16777217'],
    literals: [Math.fround(0.1), 0, -0, 'NaN', 'Infinity', '-Infinity', 16777216],
  },
  {
    sql: 'double precision',
    values: ['0.1', '-0', '5e-324', 'NaN', 'Infinity', '-Infinity', '1.7976931348623157e308'],
    literals: [0.1, 0.1 + Number.EPSILON, 0, 5e-324, 'NaN', 'Infinity', '-Infinity', 1e22],
  },
  {
    sql: 'numeric(38,10)',
    values: ['0', '0.1', '-0.0000000001', '9999999999999999999999999999.9999999999', 'NaN', '1'],
    literals: [
      '0',
      '0.1',
      '0.10',
      '0.00000000005',
      '-0.0000000001',
      '1',
      '-1.5',
      '9999999999999999999999999999.9999999999',
    ],
  },
  { sql: 'numeric(5,0)', values: ['1', '-7', '99999', 'NaN'], literals: ['1', '1.0', '1.5', '-7', '100000'] },
  {
    sql: 'numeric',
    values: [
      '0.00000000005',
      '-0.00000000005',
      '1e30',
      '-1e28',
      'NaN',
      'Infinity',
      '-Infinity',
      '1.5',
      '0.1000000000000',
    ],
    literals: [
      '0',
      '0.0000000001',
      '-0.0000000001',
      '1.5',
      '9999999999999999999999999999.9999999999',
      '-10000000000000000000000000000',
      '0.1',
    ],
  },
  { sql: 'money', values: ['1.50', '-92233720368547758.08'], literals: ['1.5', '-92233720368547758.08', '0.005'] },
  { sql: 'xid', values: ['0', '4294967295', '7'], literals: ['0', '7', '4294967295', '4294967296'] },
  { sql: 'xid8', values: ['0', '18446744073709551615'], literals: ['0', '18446744073709551615', '7.5'] },
  {
    sql: 'date',
    values: ['0001-01-01', '9999-12-31', '2024-02-29', 'infinity', '-infinity', '0044-03-15 BC', '20000-01-01'],
    literals: ['0001-01-01', '9999-12-31', '2024-02-29', '2024-03-01'],
  },
  {
    sql: 'time',
    values: ['00:00', '23:59:59.999999', '24:00', '12:34:56.789'],
    literals: ['00:00:00', '23:59:59.999999', '12:34:56.789'],
  },
  {
    sql: 'timestamp',
    values: ['2024-02-29 12:00', '2024-02-29 12:00:00.000001', 'infinity', '-infinity', '0001-01-01', '294276-12-31'],
    literals: ['2024-02-29T12:00:00.000000', '2024-02-29T12:00:00.000001', '0001-01-01T00:00:00.000000'],
  },
  {
    sql: 'timestamptz',
    values: ['2024-02-29 12:00+00', '2024-02-29 12:00:00.000001+00', 'infinity', '9999-12-31 23:59:59.999999+00'],
    literals: ['2024-02-29T12:00:00.000000Z', '2024-02-29T12:00:00.000001Z', '9999-12-31T23:59:59.999999Z'],
  },
  {
    sql: 'uuid',
    values: [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '123e4567-e89b-12d3-a456-426614174000',
    ],
    literals: ['123e4567-e89b-12d3-a456-426614174000', '7fffffff-ffff-ffff-ffff-ffffffffffff'],
  },
  {
    sql: 'bytea',
    values: [String.raw`\x`, String.raw`\x00ff`, String.raw`\x80`],
    literals: ['', 'AP8=', 'gA==', 'AA=='],
  },
  ...['text', 'text COLLATE "ignore_case"', 'varchar(20)', 'character(6)', 'mood'].map((sql) => ({
    sql,
    values:
      sql === 'mood'
        ? ['sad', 'Ok', "it's", 'ж']
        : ['', ' ', 'a', 'A', 'ab', 'a b', 'ж', 'é', 'é', '😀', '￿', "it's", String.raw`\x41`, 'a_b', '50%', 'a  '],
    literals: [
      '',
      'a',
      'A',
      'ab',
      'ж',
      'é',
      '😀',
      '￿',
      "it's",
      String.raw`\x41`,
      'sad',
      'ok',
      'a  ',
      ' ',
      "'; --",
      '$1',
      String.raw`\'`,
    ],
    isText: true,
  })),
  { sql: 'jsonb', values: ['{"a": 1}', '"x"', 'null'], literals: ['{"a": 1}', '"x"', 'null', '{'], isText: true },
  { sql: 'interval', values: ['1 day', '-3 mons', '00:00:01'], literals: ['P1D', 'PT1S', 'P-3M'], isText: true },
];
const PATTERNS = [
  '%',
  '',
  '_',
  'a%',
  '%b',
  'a_b',
  String.raw`a\_b`,
  String.raw`50\%`,
  '__',
  'ж%',
  '%😀',
  "it's",
  String.raw`\\%`,
  'a  ',
];

let server: PostgresServer;
let connection: Connection;
const columnName = (index: number) => (index === 3 ? `odd "name" of ${index}` : `c${index}`);
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`CREATE TYPE mood AS ENUM ('ж', 'sad', 'Ok', 'it''s');
    CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
  const columns = TYPES.map(({ sql }, index) => `${quote(columnName(index))} ${sql}`);
  await server.query(`CREATE TABLE vectors (id int PRIMARY KEY, ${columns.join(', ')})`);
  // Every value meets every other column's values and nulls: rows are shifted against each other.
  const rows = Array.from({ length: 120 }, (_, row) =>
    TYPES.map(({ values: all }, index) => all[(row * (index + 3) + index) % (all.length + 1)] ?? null),
  );
  const casts = TYPES.map(({ sql }, index) => `($1::jsonb->(n - 1)->>${index})::${sql.split(' COLLATE')[0]}`);
  await server.query(`INSERT INTO vectors SELECT n - 1, ${casts.join(', ')} FROM generate_series(1, 120) AS n`, [
    JSON.stringify(rows),
  ]);
  connection = await connect(configFor(server));
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const leaf = fc.integer({ min: 0, max: TYPES.length - 1 }).chain((index): fc.Arbitrary<Condition> => {
  const { literals, isText = false } = TYPES[index]!;
  const column = columnName(index);
  const literal = fc.constantFrom(...literals);
  const compare =
    index === 0
      ? fc.constantFrom('=' as const, '!=' as const)
      : fc.constantFrom('=' as const, '!=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const);
  return fc.oneof(
    fc.record({ column: fc.constant(column), compare, value: literal }),
    fc.record({ column: fc.constant(column), in: fc.array(literal, { minLength: 1, maxLength: 4 }) }),
    fc.record({ column: fc.constant(column), isNull: fc.boolean() }),
    ...(isText ? [fc.record({ column: fc.constant(column), like: fc.constantFrom(...PATTERNS) })] : []),
    ...(isText && TYPES[index]?.sql === 'text'
      ? [
          fc.record({
            column: fc.constant(column),
            compare,
            value: fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\0')),
          }),
        ]
      : []),
  );
});
const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ and: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ or: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ not: tie('tree') }),
  ),
}));

/** All rows as the source reads them without a filter, in batches, and which columns are blank-padded. */
async function readAll(unrepresentable: UnrepresentablePolicy) {
  await using database = openDatabase(server, { unrepresentable, unboundedNumeric: 'decimal(38,10)' });
  const stream = await selectNamed(database, 'public.vectors');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const items = await Array.fromAsync(database.readChunk(chunkRequest(stream, plan)));
  const batches = items.flatMap((item) =>
    'body' in item ? [...RecordBatchReader.from(Buffer.concat(item.body))] : [],
  );
  const [{ oid } = { oid: 0 }] = await connection.query<{ oid: number }>(
    `SELECT 'public.vectors'::regclass::oid AS oid`,
  );
  return {
    columns: stream.columns,
    loaded: await loadStreamColumns(connection, stream, {
      table: oid,
      types: configFor(server, { unboundedNumeric: 'decimal(38,10)' }),
    }),
    batches,
  };
}
type Read = Awaited<ReturnType<typeof readAll>>;

const blankPadded = new Set(
  TYPES.flatMap(({ sql }, index) => (sql.startsWith('character') ? [columnName(index)] : [])),
);

/** What the evaluator makes of a condition, row by row in the order of the ids. */
function evaluate(condition: Condition, { columns, batches }: { columns: Column[]; batches: Read['batches'] }) {
  const bind = compileCondition(condition, { columns, blankPadded });
  const results: (boolean | null)[] = [];
  for (const batch of batches) {
    const rowTest = bind((name) => batch.data.children[columns.findIndex((column) => column.name === name)]!);
    for (let row = 0; row < batch.numRows; row++) results[Number(batch.getChildAt(0)?.get(row))] = rowTest(row);
  }
  return results;
}

/** What PostgreSQL makes of each condition, row by row in the order of the ids. */
async function ask(conditions: Condition[], columns: StreamColumn[], unrepresentable: UnrepresentablePolicy) {
  const sql = conditions.map((condition) => renderCondition(condition, { columns, unrepresentable }));
  const rows = await connection.query<{ kept: (boolean | null)[] }>(
    `SELECT ARRAY[${sql.join(', ')}]::bool[] AS kept FROM public.vectors ORDER BY id`,
  );
  return conditions.map((_, index) => rows.map(({ kept }) => kept[index]));
}

describe.each(['null', 'clamp'] as const)('with unrepresentable values as %s', (unrepresentable) => {
  let read: Read;
  beforeAll(async () => {
    read = await readAll(unrepresentable);
  });

  test('every condition is as true, false or unknown of each row for PostgreSQL as for the evaluator', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (condition) => {
        const [expected] = await ask([condition], read.loaded, unrepresentable);
        expect(evaluate(condition, read)).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('every comparison of every type agrees on its edges', async () => {
    for (const [index, { literals, isText = false }] of TYPES.entries()) {
      const column = columnName(index);
      const operators = index === 0 ? (['=', '!='] as const) : (['=', '!=', '<', '<=', '>', '>='] as const);
      const compared = literals.flatMap((value) => operators.map((compare) => ({ column, compare, value })));
      const liked = isText ? PATTERNS.map((like) => ({ column, like })) : [];
      const conditions = [...compared, ...liked, { column, isNull: true }];
      const expected = await ask(conditions, read.loaded, unrepresentable);
      for (const [at, condition] of conditions.entries()) {
        expect(evaluate(condition, read), JSON.stringify(condition)).toEqual(expected[at]);
      }
    }
  });
});

test('the filter is in the query of the chunks: only its rows come', async () => {
  await using database = openDatabase(server);
  const stream = await selectNamed(database, 'public.vectors');
  const text = columnName(TYPES.findIndex(({ sql }) => sql === 'text'));
  const condition: Condition = {
    and: [{ column: 'c2', compare: '>', value: 0 }, { not: { column: text, isNull: true } }],
  };
  const columns = stream.columns.filter(({ name }) => name === 'id');
  const filterColumns = stream.columns.filter(({ name }) => name === 'c2' || name === text);
  const shape = { columns, primaryKey: ['id'], outputs: [], filter: { condition, columns: filterColumns } };
  const filtered = { ...stream, columns, shape };
  const plan = await database.planChunks(filtered, planRequest(8192));
  const ids = (await readRows(database, filtered, { plan })).map((row) => Number(row['id']));
  const expected = await server.query<{ id: number }>(`SELECT id FROM vectors WHERE c2 > 0 AND ${text} IS NOT NULL`);
  expect(expected.length).toBeGreaterThan(10);
  expect(ids.toSorted((a, b) => a - b)).toEqual(expected.map(({ id }) => id).toSorted((a, b) => a - b));
});
