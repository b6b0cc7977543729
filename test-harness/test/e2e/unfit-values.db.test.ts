import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, temporaryFolder, type TemporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

/** Rows of values beyond their column, with what is kept of them by `null` and by `clamp`; the last row fits. */
const COLUMNS: { name: string; type: string; literals: string[]; asNull: unknown[]; clamped: unknown[] }[] = [
  {
    name: 'day',
    type: 'date NOT NULL',
    literals: ['infinity', '0044-03-15 BC', '10000-01-01', '2024-02-29'],
    asNull: [null, null, null, '2024-02-29'],
    clamped: ['9999-12-31', '0001-01-01', '9999-12-31', '2024-02-29'],
  },
  {
    name: 'at',
    type: 'timestamptz',
    literals: ['-infinity', '294276-12-31 23:59:59.999999Z', '4713-01-01 00:00Z BC', '9999-12-31 23:59:59.999999Z'],
    asNull: [null, null, null, '9999-12-31T23:59:59.999999Z'],
    clamped: [
      '0001-01-01T00:00:00.000000Z',
      '9999-12-31T23:59:59.999999Z',
      '0001-01-01T00:00:00.000000Z',
      '9999-12-31T23:59:59.999999Z',
    ],
  },
  {
    name: 'noon',
    type: 'time',
    literals: ['24:00', '24:00', '24:00', '12:00'],
    asNull: [null, null, null, '12:00:00.000000'],
    clamped: ['23:59:59.999999', '23:59:59.999999', '23:59:59.999999', '12:00:00.000000'],
  },
  {
    name: 'amount',
    type: 'numeric(9,2)',
    literals: ['NaN', 'NaN', 'NaN', '-0.01'],
    asNull: [null, null, null, '-0.01'],
    clamped: [null, null, null, '-0.01'],
  },
  {
    name: 'free',
    type: 'numeric',
    literals: ['-1e40', 'Infinity', '0.00005', '12.5'],
    asNull: [null, null, null, '12.5000'],
    clamped: [`-${'9'.repeat(34)}.9999`, `${'9'.repeat(34)}.9999`, '0.0001', '12.5000'],
  },
  {
    name: 'days',
    type: 'date[]',
    literals: ['{infinity,2000-01-01,NULL}', '{-infinity}', '{10000-01-01}', '{}'],
    asNull: [[null, '2000-01-01', null], [null], [null], []],
    clamped: [['9999-12-31', '2000-01-01', null], ['0001-01-01'], ['9999-12-31'], []],
  },
  {
    name: 'flat',
    type: 'integer[]',
    literals: ['{{1,2},{3,NULL}}', '{{{1}}}', '[2:3][5:5]={{7},{8}}', '{4}'],
    asNull: [['1', '2', '3', null], ['1'], ['7', '8'], ['4']],
    clamped: [['1', '2', '3', null], ['1'], ['7', '8'], ['4']],
  },
  {
    name: 'grid',
    type: 'text[][]',
    literals: ['{a,b}', '{NULL}', '{{{a,b},{c,d}}}', '{{x},{y}}'],
    asNull: [[['a', 'b']], [[null]], [['a', 'b', 'c', 'd']], [['x'], ['y']]],
    clamped: [[['a', 'b']], [[null]], [['a', 'b', 'c', 'd']], [['x'], ['y']]],
  },
  {
    name: 'spell',
    type: 'spell',
    literals: ['(infinity,"{NaN,1.5}")', '(-infinity,{NaN})', '("0001-01-01 BC",{NaN})', '("2000-01-01",)'],
    asNull: [
      { since: null, rates: [null, '1.5'] },
      { since: null, rates: [null] },
      { since: null, rates: [null] },
      { since: '2000-01-01T00:00:00.000000', rates: null },
    ],
    clamped: [
      { since: '9999-12-31T23:59:59.999999', rates: [null, '1.5'] },
      { since: '0001-01-01T00:00:00.000000', rates: [null] },
      { since: '0001-01-01T00:00:00.000000', rates: [null] },
      { since: '2000-01-01T00:00:00.000000', rates: null },
    ],
  },
];

let postgres: PostgresServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await temporaryFolder('fjord-unfit');
  const columns = COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
  await postgres.query('CREATE TYPE spell AS (since timestamp, rates numeric(4,1)[])');
  await postgres.query(`CREATE TABLE unfit (id int PRIMARY KEY, ${columns})`);
  for (const row of [0, 1, 2, 3]) {
    const values = COLUMNS.map(({ literals }) => `'${literals[row]}'`).join(', ');
    await postgres.query(`INSERT INTO unfit VALUES (${row}, ${values})`);
  }
});

afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

async function pipelineWith(unrepresentable: string): Promise<Pipeline> {
  const place = path.join(folder.path, unrepresentable);
  await mkdir(place);
  return new Pipeline(place, postgres, {
    match: ['public.unfit'],
    source: { unrepresentable, unboundedNumeric: 'decimal(38,4)' },
  });
}

type Summary = { streams: { rejected: Record<string, number> }[] };

describe.each(['null', 'clamp'] as const)('values beyond their column under `unrepresentable: %s`', (policy) => {
  let pipeline: Pipeline;
  let rejected: Record<string, number> | undefined;

  beforeAll(async () => {
    pipeline = await pipelineWith(policy);
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    const found = result.lines.find(({ type }) => type === 'SUMMARY') as Summary | undefined;
    rejected = found?.streams[0]?.rejected;
  });

  test.each(['pyiceberg', 'duckdb'] as const)('%s reads what is kept of them', async (reader) => {
    const { columns, rows } = await pipeline.read(reader, 'unfit');
    expect(columns.map(({ name }) => name)).toEqual(['id', ...COLUMNS.map(({ name }) => name)]);
    const expected = [0, 1, 2, 3].map((row) => [
      String(row),
      ...COLUMNS.map(({ asNull, clamped }) => (policy === 'null' ? asNull : clamped)[row]),
    ]);
    expect(rows).toEqual(expected);
  });

  test('the summary counts them by column and place', () => {
    const lost = { amount: 3, 'spell.rates.element': 3, flat: 3, grid: 3 };
    const clampable = { day: 3, at: 3, noon: 3, free: 3, 'days.element': 3, 'spell.since': 3 };
    expect(rejected).toEqual(policy === 'null' ? { ...lost, ...clampable } : lost);
  });
});

test('under `unrepresentable: fail` the stream fails and the column is named', async () => {
  const result = await (await pipelineWith('fail')).sync();
  expect(result.exitCode).toBe(5);
  expect(result.stderr).toMatch(
    /Column \\"[a-z.]+\\" of public\.unfit (holds a value that its type cannot hold|is declared with)/,
  );
});

test('a label that is added to an enum after a load comes with the next', async () => {
  const place = path.join(folder.path, 'enum');
  await mkdir(place);
  await postgres.query(
    `CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE moods (id int PRIMARY KEY, mood mood, moods mood[])`,
  );
  await postgres.query(`INSERT INTO moods VALUES (1, 'sad', '{sad}')`);
  const pipeline = new Pipeline(place, postgres, { match: ['public.moods'], writeMode: 'overwrite' });
  expect((await pipeline.sync()).exitCode).toBe(0);
  await postgres.query(`ALTER TYPE mood ADD VALUE 'glad' BEFORE 'sad'`);
  await postgres.query(`INSERT INTO moods VALUES (2, 'glad', '{glad,sad}')`);
  expect((await pipeline.sync()).exitCode).toBe(0);
  expect((await pipeline.read('duckdb', 'moods')).rows).toEqual([
    ['1', 'sad', ['sad']],
    ['2', 'glad', ['glad', 'sad']],
  ]);
});
