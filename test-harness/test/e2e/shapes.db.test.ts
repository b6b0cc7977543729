import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  readWithPyIceberg,
  sortRows,
  startPostgres,
  temporaryFolder,
  type TemporaryFolder,
} from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
const folders: TemporaryFolder[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ databases: ['names', 'wide', 'cells', 'out_of_range', 'parts'] });
});
afterAll(async () => {
  for (const folder of folders) await folder[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

async function pipelineOf(
  database: string,
  statements: string[],
  options: ConstructorParameters<typeof Pipeline>[2] = {},
) {
  for (const statement of statements) await postgres.query(statement, [], database);
  const folder = await temporaryFolder(`fjord-${database}`);
  folders.push(folder);
  const pipeline = new Pipeline(folder.path, postgres, {
    match: ['*.*'],
    ...options,
    source: { database, ...options.source },
  });
  const result = await pipeline.sync();
  return { pipeline, result };
}

test('any legal name of schema, table and column arrives', async () => {
  const names = [
    'plain',
    'UPPER case',
    'dotted.name',
    `q"uo'te`,
    'emoji 😀',
    'slash/and\\back',
    'percent%20',
    'select',
    'ünï',
    'x'.repeat(63),
  ];
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const statements = names.flatMap((name, index) => [
    `CREATE SCHEMA IF NOT EXISTS ${quote('sch.ema "1"')}`,
    `CREATE TABLE ${quote('sch.ema "1"')}.${quote(name)} (${quote(`${name.slice(0, 60)} k`)} int PRIMARY KEY, "Col.1 😀" text)`,
    `INSERT INTO ${quote('sch.ema "1"')}.${quote(name)} VALUES (${index}, 'v${index}')`,
  ]);
  const { pipeline, result } = await pipelineOf('names', statements);
  expect(result.exitCode, result.stderr).toBe(0);
  for (const [index, name] of names.entries()) {
    for (const reader of ['pyiceberg', 'duckdb'] as const) {
      const { columns, rows } = await pipeline.read(reader, name, 'sch.ema "1"');
      expect(columns.map((column) => column.name)).toEqual([`${name.slice(0, 60)} k`, 'Col.1 😀']);
      expect(rows).toEqual([[String(index), `v${index}`]]);
    }
  }
});

test("PyIceberg's SqlCatalog opens our catalog and finds the tables", async () => {
  const { pipeline } = await pipelineOf('postgres', ['CREATE TABLE IF NOT EXISTS t1 AS SELECT 1 AS a']);
  const contents = await readWithPyIceberg({
    catalogUri: `sqlite:///${pipeline.folder}/lake/catalog.db`,
    catalogName: 'fjord',
    table: ['public', 't1'],
  });
  expect(contents.rows).toEqual([['1']]);
});

test('1,600 columns arrive', async () => {
  const columns = Array.from({ length: 1600 }, (_, index) => `c${index}`);
  const statements = [
    `CREATE TABLE wide (${columns.map((name) => `${name} int`).join(', ')})`,
    `INSERT INTO wide SELECT ${columns.map((_, index) => (index % 7 === 0 ? 'NULL' : `g + ${index}`)).join(', ')} FROM generate_series(1, 300) g`,
  ];
  const { pipeline, result } = await pipelineOf('wide', statements);
  expect(result.exitCode, result.stderr).toBe(0);
  const { rows } = await pipeline.read('pyiceberg', 'wide');
  const expected = Array.from({ length: 300 }, (_, row) =>
    columns.map((_, index) => (index % 7 === 0 ? null : String(row + 1 + index))),
  );
  expect(rows).toEqual(sortRows(expected));
});

test('cells of 16 MB, an empty table and a table of nulls arrive', async () => {
  const statements = [
    `CREATE TABLE cells (id int, t text, b bytea)`,
    `INSERT INTO cells SELECT g, repeat(chr(96 + g), 16777216), decode(repeat(to_hex(16 + g), 16777216), 'hex') FROM generate_series(1, 3) g`,
    'CREATE TABLE empty (id bigint PRIMARY KEY, v text)',
    'CREATE TABLE nulls (a int, b text, c numeric(5,2), d timestamptz, e int[], f uuid, g bytea, h bool)',
    'INSERT INTO nulls SELECT FROM generate_series(1, 1000)',
  ];
  const { pipeline, result } = await pipelineOf('cells', statements, { source: { chunkMB: 4 } });
  expect(result.exitCode, result.stderr).toBe(0);
  const cells = await pipeline.read('pyiceberg', 'cells');
  expect(
    cells.rows.map((row) =>
      row.map((value) => (typeof value === 'string' ? `${value.slice(0, 4)}:${value.length}` : value)),
    ),
  ).toEqual(
    ['1', '2', '3'].map((id, index) => [
      `${id}:1`,
      `${String.fromCodePoint(97 + index).repeat(4)}:16777216`,
      `${(17 + index).toString(16).repeat(2)}:33554432`,
    ]),
  );
  const empty = await pipeline.read('duckdb', 'empty');
  expect(empty).toEqual({
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'v', type: 'VARCHAR' },
    ],
    rows: [],
  });
  const nulls = await pipeline.read('pyiceberg', 'nulls');
  expect(nulls.rows).toEqual(Array.from({ length: 1000 }, () => Array.from({ length: 8 }, () => null)));
});

test.each([
  [
    'null',
    0,
    [
      ['1', null, null, null, null, ['1', '2', '3', '4']],
      ['2', null, null, null, null, ['1']],
      ['3', '1.00', '2024-01-01', '2024-01-01T00:00:00.000000', '2024-01-01T00:00:00.000000Z', ['1']],
    ],
  ],
  [
    'clamp',
    0,
    [
      ['1', null, '9999-12-31', '9999-12-31T23:59:59.999999', '9999-12-31T23:59:59.999999Z', ['1', '2', '3', '4']],
      ['2', null, '0001-01-01', '0001-01-01T00:00:00.000000', '0001-01-01T00:00:00.000000Z', ['1']],
      ['3', '1.00', '2024-01-01', '2024-01-01T00:00:00.000000', '2024-01-01T00:00:00.000000Z', ['1']],
    ],
  ],
  ['fail', 5, undefined],
] as const)('values that no type can hold follow the policy %s', async (unrepresentable, exitCode, rows) => {
  const statements = [
    'DROP TABLE IF EXISTS odd',
    'CREATE TABLE odd (id int PRIMARY KEY, n numeric(7,2) NOT NULL, d date, t timestamp, z timestamptz, a int[])',
    `INSERT INTO odd VALUES (1, 'NaN', 'infinity', 'infinity', 'infinity', '{{1,2},{3,4}}')`,
    `INSERT INTO odd VALUES (2, ${unrepresentable === 'fail' ? '1' : "'NaN'"}, '-infinity', '0044-03-15 BC', '-infinity', '{{1}}')`,
    `INSERT INTO odd VALUES (3, 1, '2024-01-01', '2024-01-01', '2024-01-01', '{1}')`,
  ];
  // Arrays of more dimensions than declared keep their elements in one list, and are counted.
  // numeric(p,s) takes no infinity, and NaN has no nearest number: both NaNs become null under clamp, too.
  const { pipeline, result } = await pipelineOf('out_of_range', statements, { source: { unrepresentable } });
  expect(result.exitCode, result.stderr).toBe(exitCode);
  if (!rows) {
    expect(result.stderr + result.stdout).toContain('unrepresentable_value');
    return;
  }
  const expected =
    unrepresentable === 'clamp'
      ? rows.map((row, index) => (index === 1 ? [row[0], null, ...row.slice(2)] : row))
      : rows;
  for (const reader of ['pyiceberg', 'duckdb'] as const)
    expect((await pipeline.read(reader, 'odd')).rows).toEqual(expected);
});

test('a partitioned table is one stream, whatever its partitions hold', async () => {
  const statements = [
    'CREATE TABLE events (id bigint, at date, note text) PARTITION BY RANGE (at)',
    ...Array.from({ length: 12 }, (_, month) => {
      const from = `2024-${String(month + 1).padStart(2, '0')}-01`;
      return `CREATE TABLE events_${month} PARTITION OF events FOR VALUES FROM ('${from}') TO (date '${from}' + interval '1 month')`;
    }),
    'CREATE TABLE events_rest PARTITION OF events DEFAULT PARTITION BY LIST (note)',
    "CREATE TABLE events_rest_a PARTITION OF events_rest FOR VALUES IN ('a')",
    `INSERT INTO events SELECT g, date '2024-01-01' + g % 300, 'n' || g FROM generate_series(1, 5000) g`,
    "INSERT INTO events VALUES (1, '2030-01-01', 'a')",
  ];
  const { pipeline, result } = await pipelineOf('parts', statements, { source: { chunkMB: 0.05 } });
  expect(result.exitCode, result.stderr).toBe(0);
  const actual = await pipeline.read('duckdb', 'events');
  const source = await postgres.query<{ id: string; at: string; note: string }>(
    'SELECT id::text, at::text, note FROM events',
    [],
    'parts',
  );
  expect(actual.rows).toEqual(sortRows(source.map(({ id, at, note }) => [id, at, note])));
  expect(await pipeline.hasTable('public', 'events_0')).toBe(false);
});
