import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, temporaryFolder, type TemporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';
import { expectedTypes, parseExpected, TYPE_VECTORS, typesTable } from './type-vectors.ts';

let postgres: PostgresServer;
let folder: TemporaryFolder;
let pipeline: Pipeline;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await temporaryFolder('fjord-types');
  for (const statement of typesTable()) await postgres.query(statement);
  pipeline = new Pipeline(folder.path, postgres);
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
});

afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

test.each(['pyiceberg', 'duckdb'] as const)(
  '%s reads every type at its boundaries as PostgreSQL gives it',
  async (reader) => {
    const [actual, said] = await Promise.all([pipeline.read(reader, 'types'), pipeline.expected(expectedTypes())]);
    const expected = parseExpected(said, reader);
    expect(actual.columns.map(({ name }) => name)).toEqual(expected.columns.map(({ name }) => name));
    for (const [column, { name }] of expected.columns.entries()) {
      const pick = (rows: typeof actual.rows) => rows.map((row) => [row[0], row[column]]);
      expect.soft(pick(actual.rows), name).toEqual(pick(expected.rows));
    }
  },
);

test('each type becomes the Iceberg type of its vector', async () => {
  const { columns } = await pipeline.read('pyiceberg', 'types');
  const found = new Map(columns.map(({ name, type }) => [name, type.replaceAll(/\d+: |optional /g, '')]));
  const types = TYPE_VECTORS.map(({ name, type }) => ({ name, type, becomes: found.get(name) }));
  expect(types).toEqual(TYPE_VECTORS.map(({ name, type, becomes }) => ({ name, type, becomes })));
});
