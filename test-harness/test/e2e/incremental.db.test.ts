import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test('each run adds what is new, late rows with an equal cursor included, and nothing twice', async () => {
  await postgres.query(`
    CREATE TABLE orders (id int PRIMARY KEY, at timestamp, note text);
    INSERT INTO orders VALUES (1, '2026-01-01', 'a'), (2, '2026-01-02', 'a'), (3, NULL, 'a')`);
  await using folder = await temporaryFolder('fjord-incremental');
  const stream = { syncMode: 'incremental', cursor: ['at'] };
  const pipeline = new Pipeline(folder.path, postgres, { stream });
  const versions = [
    ['1', 'a'],
    ['2', 'a'],
    ['3', 'a'],
  ];
  const check = async () => {
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    const { rows } = await pipeline.read('duckdb', 'orders');
    expect(rows.map(([id, , note]) => [id, note])).toEqual(sortRows(versions));
  };
  await check();
  await check();
  await postgres.query(`
    INSERT INTO orders VALUES (4, '2026-01-02', 'late'), (5, '2026-01-01', 'below'), (6, NULL, 'null');
    UPDATE orders SET at = '2026-01-03', note = 'b' WHERE id = 1`);
  versions.push(['4', 'late'], ['1', 'b']);
  await check();
  await check();
});

test('an upserted increment takes the place of the rows with its keys', async () => {
  await postgres.query(`
    CREATE TABLE merged (id int PRIMARY KEY, at timestamp NOT NULL, note text);
    INSERT INTO merged SELECT n, '2026-01-01', 'first' FROM generate_series(1, 5) n`);
  await using folder = await temporaryFolder('fjord-merged');
  const stream = { syncMode: 'incremental', cursor: ['at'] };
  const pipeline = new Pipeline(folder.path, postgres, { stream, writeMode: 'upsert', match: ['public.merged'] });
  const check = async () => {
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    const { rows } = await pipeline.expected('SELECT id, at, note FROM merged');
    const found = await pipeline.read('duckdb', 'merged');
    expect(found.rows.map((row) => row.slice(0, 3))).toEqual(sortRows(rows));
  };
  await check();
  await postgres.query(`
    UPDATE merged SET at = '2026-01-02', note = 'second' WHERE id IN (2, 4);
    INSERT INTO merged VALUES (6, '2026-01-01', 'late'), (7, '2026-01-03', 'new')`);
  await check();
  await check();
});

test('without a held snapshot streams are read by key or in one transaction, and the summary says so', async () => {
  await postgres.query(`
    CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain;
    CREATE TABLE keyed (id int PRIMARY KEY, pad text); CREATE TABLE keyless (id int, pad text);
    INSERT INTO keyed SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n; INSERT INTO keyless TABLE keyed;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain;
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_export_snapshot() FROM PUBLIC`);
  await using folder = await temporaryFolder('fjord-keys');
  const source = { user: 'plain', chunkMB: 0.5 };
  const pipeline = new Pipeline(folder.path, postgres, {
    source,
    password: 'plain',
    match: ['public.keyed', 'public.keyless'],
  });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  for (const table of ['keyed', 'keyless']) {
    const expected = await pipeline.expected(`SELECT * FROM ${table}`);
    expect((await pipeline.read('duckdb', table)).rows).toEqual(sortRows(expected.rows));
  }
  const summary = result.lines.find(({ type }) => type === 'SUMMARY') as unknown as {
    streams: { stream: string; notes: string[] }[];
  };
  const notes = Object.fromEntries(summary.streams.map(({ stream, notes: said }) => [stream, said.join()]));
  expect(notes['public.keyed']).toMatch(/^read by ranges of its key.*no snapshot could be held/);
  expect(notes['public.keyless']).toMatch(/^read in one transaction of its own: no snapshot could be held/);
  expect(await pipeline.files('keyed')).not.toHaveLength(1);
});

test('a table dropped, a column added and one retyped while others are read concern their streams alone', async () => {
  await postgres.query('DROP SCHEMA IF EXISTS moving CASCADE; CREATE SCHEMA moving');
  for (const name of ['a_first', 'dropped', 'grown', 'retyped', 'same']) {
    await postgres.query(
      `CREATE TABLE moving.${name} AS SELECT n AS id, n AS v, repeat('x', 200) AS pad FROM generate_series(1, 60000) n`,
    );
  }
  await using folder = await temporaryFolder('fjord-ddl');
  const source = { parallel: 1, chunkMB: 1, consistency: 'chunk' };
  const pipeline = new Pipeline(folder.path, postgres, { source, match: ['moving.*'] });
  const sync = pipeline.start();
  let output = '';
  let changes: Promise<unknown> | undefined;
  sync.stderr.on('data', (data: Buffer) => {
    output += data.toString();
    if (!output.includes('"moving.a_first"')) return;
    // The first table is being read: the others were discovered and have not begun.
    changes ??= postgres.query(`
      DROP TABLE moving.dropped; ALTER TABLE moving.grown ADD COLUMN more int DEFAULT 7;
      ALTER TABLE moving.retyped ALTER COLUMN v TYPE text`);
  });
  sync.stdout.resume();
  const exitCode = await new Promise((resolve) => sync.on('close', resolve));
  await changes;
  expect(changes).toBeDefined();
  expect(exitCode, output).toBe(5);
  expect(output).toMatch(/"message":"Table moving\.dropped does not exist\./);
  expect(output).toMatch(/"message":"Table moving\.retyped was rewritten, replaced or altered since it was planned\./);
  for (const table of ['a_first', 'grown', 'same']) {
    const expected = await pipeline.expected(`SELECT id, v, pad FROM moving.${table}`);
    expect((await pipeline.read('duckdb', table, 'moving')).rows, table).toEqual(sortRows(expected.rows));
  }
});
