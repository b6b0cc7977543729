import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  readWithPostgres,
  sortRows,
  startPostgres,
  type TableContents,
  temporaryFolder,
  type TemporaryFolder,
} from '../../src/index.ts';
import { type Line, Pipeline } from './pipeline.ts';

const SALT = `a 'salt' that "nobody" may see`;
const salt = '${env:FJORD_TEST_SALT}';
const hmac = (text: string | Buffer) => createHmac('sha256', SALT).update(text).digest('hex');

let postgres: PostgresServer;
const folders: TemporaryFolder[] = [];
beforeAll(async () => {
  postgres = await startPostgres({ databases: ['people', 'expressions', 'changed', 'parts', 'named'] });
});
afterAll(async () => {
  for (const folder of folders) await folder[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

type Rule = Record<string, unknown>;
const withDefaults = (rules: Rule[]) => rules.map((rule) => ({ match: 'public.*', ...rule }));

async function pipelineOf(database: string, statements: string[], rules: Rule[], source: Rule = {}) {
  for (const statement of statements) await postgres.query(statement, [], database);
  const folder = await temporaryFolder(`fjord-${database}`);
  folders.push(folder);
  const env = { FJORD_TEST_SALT: SALT };
  const [stream = {}] = withDefaults(rules);
  return new Pipeline(folder.path, postgres, { stream, env, source: { database, ...source } });
}

/** Puts other entries into a pipeline's file. */
async function change(pipeline: Pipeline, rules: Rule[]): Promise<void> {
  const definition: object = JSON.parse(await readFile(pipeline.file, 'utf8'));
  await writeFile(pipeline.file, JSON.stringify({ ...definition, streams: withDefaults(rules) }));
}

const errorsOf = (lines: Line[]) => lines.filter(({ type }) => type === 'ERROR').map(({ code }) => code);

test('rows are filtered and columns hashed, masked, dropped, renamed and made as the pipeline says', async () => {
  const statements = [
    'CREATE TABLE people (id bigint PRIMARY KEY, email text, phone varchar(20), born date NOT NULL, secret text, photo bytea, balance numeric(10,2))',
    `INSERT INTO people SELECT g, CASE WHEN g % 5 > 0 THEN 'ü' || g || '@example.com' END, repeat('0', g % 7) || g, date '2000-01-01' + g, 's',
       decode(to_hex(4096 + g), 'hex'), g / 3.0 FROM generate_series(1, 500) AS g`,
  ];
  const rule = {
    filter: {
      or: [
        { column: 'id', between: [10, 200] },
        { column: 'email', like: '%9@example.com' },
      ],
    },
    columns: {
      exclude: ['balance'],
      rename: { id: 'person', born: 'birthday' },
      transform: {
        id: { hash: { salt } },
        email: { hash: { salt } },
        photo: { hash: { salt } },
        phone: { mask: { keepFirst: 1, keepLast: 2, with: '·' } },
        secret: { drop: true },
        region: { constant: 'eu' },
        size: { constant: 1.5, type: 'decimal(4,2)' },
        domain: { compute: "coalesce(substring(email, 1, 3), 'none')" },
      },
    },
    target: { namespace: '{database}', name: 'dim_{name|upper}' },
  };
  const pipeline = await pipelineOf('people', statements, [rule], { chunkMB: 0.01 });
  expect((await pipeline.run('check')).stdout).toContain('"ok":true');
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const source = await postgres.query<{ id: string; email: string | null; phone: string; born: string; photo: Buffer }>(
    "SELECT id::text, email, phone, born::text, photo FROM people WHERE id BETWEEN 10 AND 200 OR email LIKE '%9@example.com'",
    [],
    'people',
  );
  const masked = (phone: string) =>
    phone.length <= 3 ? '·'.repeat(phone.length) : `${phone[0]}${'·'.repeat(phone.length - 3)}${phone.slice(-2)}`;
  const expected = sortRows(
    source.map(({ id, email, phone, born, photo }) => [
      hmac(id),
      email === null ? null : hmac(email),
      masked(phone),
      born,
      hmac(photo),
      'eu',
      '1.50',
      email?.slice(0, 3) ?? 'none',
    ]),
  );
  expect(expected.length).toBeGreaterThan(200);
  for (const reader of ['pyiceberg', 'duckdb'] as const) {
    const contents = await pipeline.read(reader, 'dim_PEOPLE', 'people');
    expect(contents.columns.map(({ name }) => name)).toEqual([
      'person',
      'email',
      'phone',
      'birthday',
      'photo',
      'region',
      'size',
      'domain',
    ]);
    expect(contents.rows).toEqual(expected);
  }
  const { metadata } = await pipeline.table('people', 'dim_PEOPLE');
  const said = Object.values(metadata.properties).join() + result.stderr + result.stdout;
  expect(said).not.toContain('nobody');
});

/** The same in SQL, where PostgreSQL means the same by it. */
const EXPRESSIONS: [expression: string, sql: string][] = [
  ["concat(first, ' ', last, n)", "concat(first, ' ', last, n)"],
  ['lower(first)', 'lower(first COLLATE "und-x-icu")'],
  ['upper(last)', 'upper(last COLLATE "und-x-icu")'],
  ['trim(padded)', 'trim(padded)'],
  ['substring(first, 2, 3)', 'substring(first, 2, 3)'],
  ['substring(first, n, 2)', 'substring(first, n, 2)'],
  ["coalesce(last, first, '-')", "coalesce(last, first, '-')"],
  ['n + 1', 'n::int8 + 1'],
  ['big - n * 2', 'big - n::int8 * 2'],
  ['price * 1.19', '(price * 1.19)::numeric(13,4)'],
  ['price - 0.005 + n', '(price - 0.005 + n)::numeric(14,3)'],
  ['ratio * n + 0.5', 'ratio * n + 0.5::float8'],
  ['n / 4', 'n / 4::float8'],
  ['n / 0', 'NULL::float8'],
  ["cast(price, 'long')", 'trunc(price)::int8'],
  ["cast(price, 'decimal(6,1)')", 'price::numeric(6,1)'],
  ["cast(numeral, 'int')", "CASE WHEN numeral ~ '^-?[0-9]+$' THEN numeral::int END"],
  ["cast(n, 'string')", 'n::text'],
  ["cast(price, 'double')", 'price::float8'],
  ["cast(seen, 'date')", "(seen AT TIME ZONE 'UTC')::date"],
  ["date_trunc('month', seen)", "date_trunc('month', seen, 'UTC')"],
  ["date_trunc('hour', at)", "date_trunc('hour', at)"],
  ["date_trunc('year', born)", "date_trunc('year', born)::date"],
  ['year(at)', 'extract(year FROM at)::int'],
  ['month(born)', 'extract(month FROM born)::int'],
  ['day(seen)', "extract(day FROM seen AT TIME ZONE 'UTC')::int"],
  ["json(doc, '$.a.b[1]')", "doc #>> '{a,b,1}'"],
  ["json(doc, '$.big')", "doc #>> '{big}'"],
  ['json(doc, \'$["x y"]\')', "doc #>> '{x y}'"],
  ['"odd ""name"""', '"odd ""name"""'],
];

test('each function gives what PostgreSQL gives for the same', async () => {
  const statements = [
    `CREATE TABLE things (id int PRIMARY KEY, first text, last text, padded text, n int, big bigint, price numeric(10,2), ratio float8, numeral text,
       seen timestamptz, at timestamp, born date, doc jsonb, "odd ""name""" text)`,
    `INSERT INTO things SELECT g, (ARRAY['Ärmel', 'anna😀b', '', NULL, 'x'])[1 + g % 5], CASE WHEN g % 3 > 0 THEN 'Łuk' || g END, '  a ' || g || ' ', g % 9 - 3,
       (g - 50) * 40000000000, (g - 50) * 1.37, g / 7.0, (ARRAY['12', '-7', 'x', ''])[1 + g % 4],
       timestamptz '1969-12-31 22:15:16.123456+00' + (g - 50) * interval '17 days 5 hours', timestamp '1970-01-01 03:04:05.678901' - g * interval '31 days 7 hours',
       date '1970-01-02' - g * 17, CASE WHEN g % 4 > 0 THEN jsonb_build_object('a', jsonb_build_object('b', jsonb_build_array(1, 'two' || g)),
         'big', 12345678901234567890.10, 'x y', g % 2 = 0) END, 'q' || g FROM generate_series(1, 100) AS g`,
  ];
  const transform = Object.fromEntries(EXPRESSIONS.map(([compute], index) => [`r${index}`, { compute }]));
  const pipeline = await pipelineOf('expressions', statements, [{ columns: { include: ['id'], transform } }]);
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const list = EXPRESSIONS.map(([, sql], index) => `${sql} AS r${index}`);
  const expected = await readWithPostgres(postgres, `SELECT id, ${list.join(', ')} FROM things`, 'expressions');
  const actual = await pipeline.read('pyiceberg', 'things');
  for (const [index, [expression]] of EXPRESSIONS.entries()) {
    const column = ({ rows }: TableContents) => sortRows(rows.map((row) => [row[0] ?? null, row[index + 1] ?? null]));
    expect(column(actual), expression).toEqual(column(expected));
  }
  // Texts that are no number, and divisions by zero, were counted.
  const summary = result.lines.find(({ type }) => type === 'SUMMARY') as { streams?: { rejected: object }[] };
  expect(summary.streams?.[0]?.rejected).toEqual({ r13: 100, r16: 50 });
});

test('an appended stream whose filter has changed is refused, or copied anew if the pipeline says so', async () => {
  const statements = ['CREATE TABLE t (id int PRIMARY KEY)', 'INSERT INTO t SELECT generate_series(1, 100)'];
  const above = (value: number) => ({ filter: { column: 'id', '>': value } });
  const pipeline = await pipelineOf('changed', statements, [above(50)]);
  const count = async () => (await pipeline.read('duckdb', 't')).rows.length;
  expect((await pipeline.sync()).exitCode).toBe(0);
  expect(await count()).toBe(50);

  await change(pipeline, [above(40)]);
  const refused = await pipeline.sync();
  expect(refused.exitCode).toBe(5);
  expect(errorsOf(refused.lines)).toContain('shape_changed');
  expect(await count()).toBe(50);

  await change(pipeline, [{ ...above(40), whenChanged: 'backfill' }]);
  expect((await pipeline.sync()).exitCode).toBe(0);
  expect(await count()).toBe(60);
});

test('check names the line of a filter and of a transform that cannot be', async () => {
  const pipeline = await pipelineOf('changed', [], [{ filter: { column: 'id', '=': 'x' } }]);
  const { exitCode, stdout } = await pipeline.run('check');
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    problems: [
      {
        from: 'pipeline',
        code: 'config_invalid',
        message: expect.stringMatching(/pipeline\.yaml:1: the value is no int, which column "id" is\.$/),
        fix: 'Write a whole number of 32 bits.',
      },
    ],
  });
});

test('a filter reaches every partition, and quoted names and schemas are found', async () => {
  const statements = [
    'CREATE SCHEMA "my.schema"',
    'CREATE TABLE "my.schema"."Ev*nts" (id int, "the ""at""" date) PARTITION BY RANGE (id)',
    'CREATE TABLE "my.schema".low PARTITION OF "my.schema"."Ev*nts" FOR VALUES FROM (0) TO (50)',
    'CREATE TABLE "my.schema".high PARTITION OF "my.schema"."Ev*nts" DEFAULT',
    `INSERT INTO "my.schema"."Ev*nts" SELECT g, date '2024-01-01' + g FROM generate_series(1, 100) AS g`,
  ];
  const filter = { column: 'the "at"', between: ['2024-02-01', '2024-03-01'] };
  const rule = { match: '"my.schema"."Ev*nts"', filter, target: { namespace: 'x', name: 'events' } };
  const pipeline = await pipelineOf('parts', statements, [rule], { chunkMB: 0.01 });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const { rows } = await pipeline.read('duckdb', 'events', 'x');
  const expected = await postgres.query<{ id: string; at: string }>(
    `SELECT id::text, "the ""at"""::text AS at FROM "my.schema"."Ev*nts" WHERE id BETWEEN 31 AND 60`,
    [],
    'parts',
  );
  expect(rows).toEqual(sortRows(expected.map(({ id, at }) => [id, at])));
});
