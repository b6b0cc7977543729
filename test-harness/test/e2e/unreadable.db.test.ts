import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
const password = 'canary-reader-3';
const GRANT_B = 'GRANT SELECT ON TABLE "public"."b" TO "reader";';

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.query(`
    CREATE ROLE reader LOGIN PASSWORD '${password}';
    CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 10) g;
    CREATE TABLE b AS SELECT g AS id FROM generate_series(1, 10) g;
    CREATE TABLE parted (id int) PARTITION BY LIST (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE SCHEMA closed; CREATE TABLE closed.c AS SELECT 1 AS id;
    GRANT SELECT ON a, parted, closed.c TO reader`);
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

const problemsOf = async (pipeline: Pipeline) => {
  const { exitCode, stdout } = await pipeline.run('check');
  const { problems } = JSON.parse(stdout) as { problems: { stream?: string; fix: string }[] };
  return { exitCode, fixes: problems.map(({ stream, fix }) => `${stream}: ${fix}`).toSorted() };
};

test.each([
  ['no schemas', {}],
  ['the schema', { schemas: ['public'] }],
])('check with %s named says which grant each chosen table lacks, and nothing of the others', async (_, source) => {
  await using folder = await temporaryFolder('fjord-unreadable');
  const of = (match: string[]) =>
    new Pipeline(folder.path, postgres, { password, match, source: { user: 'reader', ...source } });
  expect(await problemsOf(of(['public.*']))).toEqual({
    exitCode: 2,
    fixes: [`public.b: ${GRANT_B}`, 'public.parted: GRANT SELECT ON TABLE "public"."parted_1" TO "reader";'],
  });
  expect(await problemsOf(of(['public.a']))).toEqual({ exitCode: 0, fixes: [] });
  expect((await problemsOf(of(['public.a', 'nothing.*']))).fixes.at(-1)).toContain('fjord discover');
});

test('a sync whose pattern matches tables that cannot be read copies the others, names these, and exits with 5', async () => {
  await using folder = await temporaryFolder('fjord-unreadable');
  const pipeline = new Pipeline(folder.path, postgres, { password, match: ['*'], source: { user: 'reader' } });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(5);
  const errors = result.lines
    .filter(({ type }) => type === 'ERROR')
    .map(({ code, stream, help }) => ({ code, stream, help }));
  expect(errors).toMatchObject([
    { code: 'permission_denied', stream: 'closed.c', help: 'GRANT USAGE ON SCHEMA "closed" TO "reader";' },
    { code: 'permission_denied', stream: 'public.b', help: GRANT_B },
    { code: 'permission_denied', stream: 'public.parted', help: expect.stringContaining('"public"."parted_1"') },
    { code: 'streams_failed' },
  ]);
  expect(result.lines.findLast(({ type }) => type === 'ERROR')?.['message']).toBe(
    '3 of 4 streams failed: closed.c, public.b, public.parted.',
  );
  expect((await pipeline.read('duckdb', 'a')).rows).toHaveLength(10);
  expect(await pipeline.hasTable('public', 'b')).toBe(false);
});

test.each([
  ['named outright', ['public.a', 'public.b']],
  ['the only one chosen', ['*.b']],
])('a table that cannot be read and is %s ends the sync before it begins', async (_, match) => {
  await using folder = await temporaryFolder('fjord-unreadable');
  const pipeline = new Pipeline(folder.path, postgres, { password, match, source: { user: 'reader' } });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(2);
  expect(result.lines.findLast(({ type }) => type === 'ERROR')).toMatchObject({
    code: 'permission_denied',
    message: 'User "reader" may not read table public.b.',
    help: GRANT_B,
  });
  expect(await pipeline.hasTable('public', 'a')).toBe(false);
});

test('tables that cannot be read and are excluded, or that no entry matches, do not matter', async () => {
  await using folder = await temporaryFolder('fjord-unreadable');
  const pipeline = new Pipeline(folder.path, postgres, { password, match: ['public.a*'], source: { user: 'reader' } });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
});
