import { expect, test } from 'vitest';
import { readWithSpark, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';
import { expectedTypes, parseExpected, TYPE_VECTORS, typesTable } from './type-vectors.ts';

test('Spark reads every type but time, of which it refuses any table, at its boundaries as PostgreSQL gives it', async () => {
  await using postgres = await startPostgres();
  await using folder = await temporaryFolder('fjord-spark-types');
  for (const statement of typesTable()) await postgres.query(statement);
  const refused = TYPE_VECTORS.filter(({ becomes }) => becomes === 'time').map(({ name }) => name);
  const pipeline = new Pipeline(folder.path, postgres, { columns: { exclude: refused } });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const { metadataLocation } = await pipeline.table('public', 'types');
  const [actual, said] = await Promise.all([readWithSpark({ metadataLocation }), pipeline.expected(expectedTypes())]);
  const expected = parseExpected(said, 'spark');
  const read = new Map(actual.columns.map(({ name }, index) => [name, index]));
  expect([...read.keys()]).toEqual(expected.columns.map(({ name }) => name).filter((name) => !refused.includes(name)));
  for (const [column, { name }] of expected.columns.entries()) {
    if (refused.includes(name)) continue;
    const pick = (rows: typeof said.rows, index: number) =>
      sortRows(rows.map((row) => [row[0] ?? null, row[index] ?? null]));
    expect.soft(pick(actual.rows, read.get(name) ?? -1), name).toEqual(pick(expected.rows, column));
  }
});
