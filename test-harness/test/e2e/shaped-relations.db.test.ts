import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const SALT = 'of this test';
const RELATIONS = ['keyed', 'keyless', 'parted', 'seen', 'kept'];
const STATEMENTS = [
  'CREATE TABLE keyed (id int, part text, email text, born date, pad text, PRIMARY KEY (part, id))',
  `INSERT INTO keyed SELECT n, chr(97 + n % 5), CASE WHEN n % 7 > 0 THEN 'ü' || n || '@x' END, date '2000-01-01' + n, repeat('p', 150)
     FROM generate_series(1, 6000) n`,
  'CREATE TABLE keyless AS TABLE keyed',
  'CREATE TABLE parted (LIKE keyed, PRIMARY KEY (part, id)) PARTITION BY LIST (part)',
  "CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a')",
  'CREATE TABLE parted_rest PARTITION OF parted DEFAULT',
  'INSERT INTO parted TABLE keyed',
  'CREATE VIEW seen AS TABLE keyed',
  'CREATE MATERIALIZED VIEW kept AS TABLE keyed',
  'CREATE UNIQUE INDEX ON kept (id)',
  'ANALYZE',
];

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
  for (const statement of STATEMENTS) await postgres.query(statement);
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test.each(['snapshot', 'keys', 'chunk'] as const)(
  'tables, partitions and views are filtered and transformed however they are cut: %s',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-cut');
    const stream = {
      filter: {
        or: [
          { column: 'id', between: [100, 4000] },
          { column: 'email', like: '%9@x' },
        ],
      },
      columns: {
        exclude: ['pad'],
        rename: { part: 'kind' },
        transform: { email: { hash: { salt: '${env:FJORD_TEST_SALT}' } }, born: { compute: 'year(born)' } },
      },
    };
    const pipeline = new Pipeline(folder.path, postgres, {
      match: RELATIONS.map((name) => `public.${name}`),
      stream,
      source: { consistency, chunkMB: 0.1 },
      env: { FJORD_TEST_SALT: SALT },
    });
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    const source = await postgres.query<{ id: string; part: string; email: string | null; year: string }>(
      `SELECT id::text, part, email, extract(year FROM born)::text AS year FROM keyed
       WHERE id BETWEEN 100 AND 4000 OR email LIKE '%9@x'`,
    );
    const hmac = (text: string) => createHmac('sha256', SALT).update(text).digest('hex');
    const expected = sortRows(
      source.map(({ id, part, email, year }) => [id, part, email === null ? null : hmac(email), year]),
    );
    expect(expected.length).toBeLessThan(6000);
    for (const name of RELATIONS) {
      const { columns, rows } = await pipeline.read('duckdb', name);
      expect(columns.map((column) => column.name)).toEqual(['id', 'kind', 'email', 'born']);
      expect(rows, name).toEqual(expected);
    }
    // Cut indeed: each chunk has a file of its own.
    expect((await pipeline.files('keyed')).length).toBeGreaterThan(2);
    expect(await pipeline.files('seen')).toHaveLength(1);
  },
);
