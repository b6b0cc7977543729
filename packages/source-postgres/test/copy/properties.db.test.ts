import { batchToRecords } from '@fjord/core/apache-arrow';
import { type PostgresServer, readWithPostgres, startPostgres } from '@fjord/test-harness';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { chunkRequest, openDatabase, planRequest, selectNamed } from '../postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    CREATE TYPE part AS (n numeric, ts timestamp, i interval, r numrange, t text);
    CREATE TYPE whole AS (a part, d date, m nummultirange, b numeric(38,12));
    CREATE TABLE plain (id int, n numeric, ts timestamp, tz timestamptz, d date, i interval, r numrange, t text);
    CREATE TABLE nested (id int, part part, whole whole, wholes whole[], pairs part[][], spans interval[][])`);
});
afterAll(() => server[Symbol.asyncDispose]());

const digits = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength }).map((found) => found.join(''));
const decimal = fc
  .tuple(fc.constantFrom('', '-'), digits(45), digits(45))
  .map(([sign, whole, fraction]) => `${sign}${whole || '0'}.${fraction || '0'}`);
const numeric = fc.oneof(
  { arbitrary: decimal, weight: 9 },
  { arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e36', '1e-36', '1e4000', '-1e-4000'), weight: 1 },
);
const pad = (value: number, width: number) => String(value).padStart(width, '0');
const timestamp = fc
  .tuple(
    fc.integer({ min: 1, max: 9999 }),
    fc.integer({ min: 0, max: 365 }),
    fc.integer({ min: 0, max: 86_399_999_999 }),
  )
  .map(([year, day, micros]) => {
    const [month, dayOfMonth] = [(day % 12) + 1, (Math.floor(day / 12) % 28) + 1];
    const seconds = Math.floor(micros / 1e6);
    const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => pad(Math.floor(part), 2)).join(':');
    return `${pad(year, 4)}-${pad(month, 2)}-${pad(dayOfMonth, 2)} ${clock}.${pad(micros % 1e6, 6)}`;
  });
const interval = fc
  .tuple(
    fc.integer({ min: -9999, max: 9999 }),
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -400, max: 400 }),
    fc.integer({ min: -1e14, max: 1e14 }),
  )
  .map(([years, months, days, micros]) => `${years} years ${months} months ${days} days ${micros} microseconds`);
const range = fc
  .tuple(fc.option(decimal), fc.option(decimal), fc.constantFrom('[', '('), fc.constantFrom(']', ')'))
  .map(([low, high, open, close]) => ({ low, high, bounds: `${open}${close}` }));
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((found) => !found.includes('\0'));
const row = fc.record({
  n: fc.option(numeric),
  ts: fc.option(timestamp),
  i: fc.option(interval),
  r: fc.option(range),
  t: fc.option(text),
  isNull: fc.boolean(),
});
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never;

const ROWS = `
  SELECT j.id::int, (j.v->>'n')::numeric AS n, (j.v->>'ts')::timestamp AS ts, (j.v->>'i')::interval AS i, j.v->>'t' AS t,
         CASE WHEN j.v->>'r' IS NOT NULL THEN CASE WHEN (j.v->'r'->>'high')::numeric < (j.v->'r'->>'low')::numeric
           THEN numrange((j.v->'r'->>'high')::numeric, (j.v->'r'->>'low')::numeric, j.v->'r'->>'bounds')
           ELSE numrange((j.v->'r'->>'low')::numeric, (j.v->'r'->>'high')::numeric, j.v->'r'->>'bounds') END END AS r,
         (j.v->>'isNull')::bool AS is_null
  FROM json_array_elements($1::json) WITH ORDINALITY AS j (v, id)`;

/** Fills a table from the rows by a select list, and gives what is read of it. */
async function refill(table: string, list: string, options: { rows: Row[]; changes?: Partial<Config> }) {
  await server.query(`TRUNCATE ${table}`);
  await server.query(`INSERT INTO ${table} SELECT ${list} FROM (${ROWS}) AS x`, [JSON.stringify(options.rows)]);
  await using database = openDatabase(server, options.changes);
  const stream = await selectNamed(database, `public.${table}`);
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const found: Record<string, unknown>[] = [];
  const rejected: Record<string, number> = {};
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if (!('rows' in item)) continue;
    found.push(...batchToRecords(item.body, stream.columns));
    for (const [name, count] of Object.entries(item.rejected)) rejected[name] = (rejected[name] ?? 0) + count;
  }
  return { found: found.toSorted((a, b) => Number(a['id']) - Number(b['id'])), rejected };
}

/** What the server says, as JSON of RECORD's forms. */
async function ask(table: string, fields: Record<string, string>): Promise<unknown[]> {
  const list = Object.entries(fields).map(([name, sql]) => `'${name}', ${sql}`);
  const { rows } = await readWithPostgres(
    server,
    `SELECT json_build_object(${list.join(', ')})::text FROM ${table} ORDER BY id`,
  );
  return rows.map(([json]) => (typeof json === 'string' ? (JSON.parse(json) as unknown) : json));
}

const stamp = (sql: string) => `to_char(${sql}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
const partOf = (sql: string) =>
  `CASE WHEN ${sql} IS DISTINCT FROM NULL THEN json_build_object('n', (${sql}).n::text, 'ts', ${stamp(`(${sql}).ts`)},
   'i', (${sql}).i::text, 'r', (${sql}).r::text, 't', (${sql}).t) END`;
const wholeOf = (sql: string) =>
  `CASE WHEN ${sql} IS DISTINCT FROM NULL THEN json_build_object('a', ${partOf(`(${sql}).a`)}, 'd', (${sql}).d::text,
   'm', (${sql}).m::text, 'b', (${sql}).b::text) END`;

test('numerics, timestamps, intervals, ranges and texts read as the server prints them', async () => {
  const list = "id, n, ts, ts AT TIME ZONE 'UTC', ts::date, i, r, t";
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 100 }), async (rows) => {
      const { found, rejected } = await refill('plain', list, { rows });
      const expected = await ask('plain', {
        id: 'id',
        n: 'n::text',
        ts: stamp('ts'),
        tz: `${stamp("tz AT TIME ZONE 'UTC'")} || 'Z'`,
        d: 'd::text',
        i: 'i::text',
        r: 'r::text',
        t: 't',
      });
      expect(found).toEqual(expected);
      expect(rejected).toEqual({});
    }),
    { numRuns: 5 },
  );
});

test('composites, arrays of them and arrays of arrays read as the server prints them', async () => {
  const part = 'CASE WHEN NOT is_null THEN ROW(n, ts, i, r, t)::part END';
  const whole = `ROW(${part}, ts::date, CASE WHEN r IS NOT NULL THEN nummultirange(r, numrange(1, 2)) END,
                     CASE WHEN abs(n) < 1e26 THEN n END)::whole`;
  const list = `id, ${part}, ${whole}, CASE WHEN id % 5 > 0 THEN array_fill(${whole}, ARRAY[id % 4]) || CASE WHEN is_null THEN NULL::whole END END,
                CASE WHEN id % 3 > 0 THEN ARRAY[[${part}, NULL], [ROW(NULL, ts, NULL, r, t)::part, ${part}]] END, ARRAY[[i, NULL, i + '1 day']]`;
  const spread = (array: string, item: (sql: string) => string) =>
    `CASE WHEN ${array} IS NOT NULL THEN coalesce((SELECT json_agg(${item('u.e')}) FROM (SELECT unnest(${array}) AS e) AS u), '[]') END`;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
      const { found, rejected } = await refill('nested', list, { rows });
      const expected = await ask('nested', {
        id: 'id',
        part: partOf('part'),
        whole: wholeOf('whole'),
        wholes: spread('wholes', wholeOf),
        pairs: `CASE WHEN pairs IS NOT NULL THEN json_build_array(
          json_build_array(${partOf('pairs[1][1]')}, ${partOf('pairs[1][2]')}),
          json_build_array(${partOf('pairs[2][1]')}, ${partOf('pairs[2][2]')})) END`,
        spans: 'to_json(spans::text[])',
      });
      expect(found).toEqual(expected);
      expect(rejected).toEqual({});
    }),
    { numRuns: 5 },
  );
});

test('numerics become the decimal of the option, exactly or rounded as the server rounds', async () => {
  const numerics = fc.array(row, { minLength: 1, maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(numerics, fc.constantFrom(0, 5, 38), async (rows, scale) => {
      const changes = { unboundedNumeric: `decimal(38,${scale})` } as const;
      const read = (unrepresentable: Config['unrepresentable']) =>
        refill('plain', 'id, n', { rows, changes: { ...changes, unrepresentable } });
      const greatest = `(1e${38 - scale} - 1e-${scale})::numeric(38,${scale})`;
      const rounded = `CASE WHEN n <> 'NaN' THEN
        least(greatest(CASE WHEN abs(n) < 'Infinity' THEN round(n, ${scale}) ELSE n END, -${greatest}), ${greatest}) END`;
      const exact = await read('null');
      const fits = `CASE WHEN n = ${rounded} THEN ${rounded} END`;
      expect(exact.found.map(({ id, n }) => ({ id, n }))).toEqual(
        await ask('plain', { id: 'id', n: `(${fits})::text` }),
      );
      const lost = await ask('plain', { isLost: `n IS NOT NULL AND (${fits}) IS NULL` });
      const count = lost.filter((answer) => (answer as { isLost: boolean }).isLost).length;
      expect(exact.rejected).toEqual(count > 0 ? { n: count } : {});
      const clamped = await read('clamp');
      expect(clamped.found.map(({ id, n }) => ({ id, n }))).toEqual(
        await ask('plain', { id: 'id', n: `(${rounded})::text` }),
      );
    }),
    { numRuns: 5 },
  );
});
