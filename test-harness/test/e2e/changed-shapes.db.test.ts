import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const SALT = 'of this test';
const env = { FJORD_TEST_SALT: SALT };
const hash = { hash: { salt: '${env:FJORD_TEST_SALT}' } };
const hmac = (text: string) => createHmac('sha256', SALT).update(text).digest('hex');
const mask = (text: string) => `${'*'.repeat(text.length - 2)}${text.slice(-2)}`;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

type Rule = Record<string, unknown>;

/** Puts other entries into a pipeline's file. */
async function setStreams(pipeline: Pipeline, streams: Rule[]): Promise<void> {
  const definition: object = JSON.parse(await readFile(pipeline.file, 'utf8'));
  await writeFile(pipeline.file, JSON.stringify({ ...definition, streams }));
}

test('increments of a filtered stream have its rows alone, transformed: late equal ones once, none without a cursor', async () => {
  await postgres.query(`
    DROP TABLE IF EXISTS customers;
    CREATE TABLE customers (id int PRIMARY KEY, at timestamp, email text, phone text, country text);
    INSERT INTO customers VALUES
      (1, '2026-01-01', 'a@x', '1234', 'DE'), (2, '2026-01-02', 'b@x', '2345', 'US'), (3, NULL, 'c@x', '3456', 'DE'),
      (4, '2026-01-02', NULL, '4567', 'AT')`);
  await using folder = await temporaryFolder('fjord-shaped');
  const stream = {
    match: 'public.customers',
    syncMode: 'incremental',
    cursor: ['at'],
    filter: { column: 'country', in: ['DE', 'AT'] },
    columns: {
      exclude: ['country'],
      rename: { at: 'changed_at' },
      transform: { email: hash, phone: { mask: { keepLast: 2 } } },
    },
  };
  const pipeline = new Pipeline(folder.path, postgres, { stream, env });
  const versions: [string, string | null, string][] = [
    ['1', 'a@x', '1234'],
    ['3', 'c@x', '3456'],
    ['4', null, '4567'],
  ];
  const check = async () => {
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    const { columns, rows } = await pipeline.read('duckdb', 'customers');
    expect(columns.map(({ name }) => name)).toEqual(['id', 'changed_at', 'email', 'phone']);
    const shaped = versions.map(([id, email, phone]) => [id, email === null ? null : hmac(email), mask(phone)]);
    expect(rows.map(([id = null, , ...others]) => [id, ...others])).toEqual(sortRows(shaped));
  };
  await check();
  await check();
  // Late with the greatest value, below it, without one, of another country; one moves into the filter, one out of it.
  await postgres.query(`
    INSERT INTO customers VALUES (5, '2026-01-02', 'e@x', '5678', 'AT'), (6, '2026-01-01', 'f@x', '6789', 'DE'),
      (7, NULL, 'g@x', '7890', 'DE'), (8, '2026-01-03', 'h@x', '8901', 'US');
    UPDATE customers SET country = 'DE', at = '2026-01-03' WHERE id = 2;
    UPDATE customers SET country = 'US', at = '2026-01-03' WHERE id = 1`);
  versions.push(['5', 'e@x', '5678'], ['2', 'b@x', '2345']);
  await check();
  // Read, but of another country then: now it is one of the stream's, with the same cursor as before.
  await postgres.query("UPDATE customers SET country = 'AT' WHERE id = 8");
  versions.push(['8', 'h@x', '8901']);
  await check();
  await check();
});

type Shape = { rule: Rule; keeps(id: number): boolean; note(text: string): string };
const above = (least: number, note: Shape['note'], change: Rule): Shape => ({
  rule: { filter: { column: 'id', '>': least }, columns: { transform: { note: change } } },
  keeps: (id) => id > least,
  note,
});
const OLD = above(10, mask, { mask: { keepLast: 2 } });
const NEW = { filter: above(5, mask, { mask: { keepLast: 2 } }), transform: above(10, hmac, hash) };
const CASES = (['filter', 'transform'] as const).flatMap((changed) =>
  (['continue', 'backfill', 'refuse'] as const).map((whenChanged) => ({
    table: `${changed}_${whenChanged}`,
    whenChanged,
    changed: NEW[changed],
  })),
);
type Case = (typeof CASES)[number];

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const rowsOf = (ids: number[], { keeps, note }: Shape) =>
  ids.filter(keeps).map((id) => [`${id}`, note(`note ${1000 + id}`)]);

async function addRows(first: number, last: number): Promise<void> {
  for (const { table } of CASES) {
    await postgres.query(
      `INSERT INTO ${table} SELECT n, 'note ' || 1000 + n FROM generate_series(${first}, ${last}) n`,
    );
  }
}

test('after a changed filter or transform each incremental stream does what its whenChanged says, whatever the others do', async () => {
  for (const { table } of CASES) await postgres.query(`CREATE TABLE ${table} (id int PRIMARY KEY, note text)`);
  await addRows(1, 20);
  await using folder = await temporaryFolder('fjord-changed');
  const pipeline = new Pipeline(folder.path, postgres, { env });
  const setShapes = (shapeOf: (one: Case) => Shape) =>
    setStreams(
      pipeline,
      CASES.map((one) => {
        const { table, whenChanged } = one;
        return { match: `public.${table}`, syncMode: 'incremental', cursor: ['id'], whenChanged, ...shapeOf(one).rule };
      }),
    );
  const held = new Map(CASES.map(({ table }) => [table, rowsOf(range(1, 20), OLD)]));
  const expectHeld = async () => {
    for (const [table, rows] of held) {
      expect((await pipeline.read('duckdb', table)).rows, table).toEqual(sortRows(rows));
    }
  };
  await setShapes(() => OLD);
  expect((await pipeline.sync()).exitCode).toBe(0);
  await expectHeld();

  await setShapes(({ changed }) => changed);
  await addRows(21, 25);
  for (const { table, whenChanged, changed } of CASES) {
    const before = held.get(table) ?? [];
    if (whenChanged === 'continue') held.set(table, [...before, ...rowsOf(range(21, 25), changed)]);
    if (whenChanged === 'backfill') held.set(table, rowsOf(range(1, 25), changed));
  }
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(5);
  const refused = result.lines.filter(({ type, code }) => type === 'ERROR' && code === 'shape_changed');
  const names = new Set(refused.map(({ stream }) => stream));
  expect(names).toEqual(new Set(['public.filter_refuse', 'public.transform_refuse']));
  await expectHeld();

  // What was taken on is no change any more. Taken back, a refused change does no harm: the stream goes on where it was.
  await setShapes(({ whenChanged, changed }) => (whenChanged === 'refuse' ? OLD : changed));
  await addRows(26, 27);
  for (const { table, whenChanged, changed } of CASES) {
    const added = whenChanged === 'refuse' ? rowsOf(range(21, 27), OLD) : rowsOf(range(26, 27), changed);
    held.set(table, [...(held.get(table) ?? []), ...added]);
  }
  const last = await pipeline.sync();
  expect(last.exitCode, last.stderr).toBe(0);
  await expectHeld();
});
