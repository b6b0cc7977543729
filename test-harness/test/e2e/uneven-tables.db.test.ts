import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const TABLES = ['bloated', 'emptied', 'empty', 'skewed'];

let postgres: PostgresServer;
beforeAll(async () => {
  // Dead rows stay where they are: nothing vacuums.
  postgres = await startPostgres({ settings: { autovacuum: 'off' } });
  await postgres.query(`
    CREATE TABLE bloated AS SELECT n::int8 AS id, repeat('x', 200) AS pad FROM generate_series(1, 40000) n;
    CREATE TABLE emptied AS TABLE bloated;
    CREATE TABLE empty (id int8 PRIMARY KEY, pad text);
    CREATE TABLE skewed (LIKE empty);
    ALTER TABLE skewed ALTER COLUMN pad SET STORAGE EXTERNAL;
    INSERT INTO skewed SELECT n, 'small' FROM generate_series(1, 20000) n;
    INSERT INTO skewed SELECT 1000000000000 + n * n, repeat('y', 20000) FROM generate_series(1, 200) n;
    ALTER TABLE bloated ADD PRIMARY KEY (id); ALTER TABLE emptied ADD PRIMARY KEY (id); ALTER TABLE skewed ADD PRIMARY KEY (id);
    DELETE FROM bloated WHERE id % 100 > 0; DELETE FROM emptied; ANALYZE`);
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test.each(['chunk', 'keys'] as const)(
  'tables full of dead rows, empty ones, and those whose rows are fat at one end arrive whole, in %s consistency',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-uneven');
    const pipeline = new Pipeline(folder.path, postgres, { source: { consistency, chunkMB: 0.5 } });
    const result = await pipeline.sync();
    expect(result.exitCode, result.stderr).toBe(0);
    for (const name of TABLES) {
      const [actual, expected] = await Promise.all([
        pipeline.read('duckdb', name),
        pipeline.expected(`SELECT * FROM ${name}`),
      ]);
      expect(actual.rows, name).toEqual(expected.rows);
    }
    // A chunk ends at twice its size: 4 MB of fat rows are several, however the small rows are shared out. Few rows among dead ones are few chunks.
    expect((await pipeline.files('skewed')).length).toBeGreaterThan(2);
    expect((await pipeline.files('bloated')).length).toBeLessThan(12);
  },
);
