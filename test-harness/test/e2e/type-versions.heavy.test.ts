import { expect, test } from 'vitest';
import { startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';
import { expectedTypes, parseExpected, typesTable } from './type-vectors.ts';

test.each([15, 16, 17] as const)('every type of PostgreSQL %i reads as the server gives it', async (major) => {
  await using postgres = await startPostgres({ major });
  await using folder = await temporaryFolder('fjord-types');
  for (const statement of typesTable(major)) await postgres.query(statement);
  const pipeline = new Pipeline(folder.path, postgres);
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const [actual, said] = await Promise.all([pipeline.read('duckdb', 'types'), pipeline.expected(expectedTypes())]);
  const expected = parseExpected(said, 'duckdb');
  for (const [column, { name }] of expected.columns.entries()) {
    const pick = (rows: typeof actual.rows) => rows.map((row) => [row[0], row[column]]);
    expect.soft(pick(actual.rows), name).toEqual(pick(expected.rows));
  }
});
