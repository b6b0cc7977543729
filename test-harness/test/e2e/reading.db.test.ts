import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  type S3Server,
  startPostgres,
  startS3,
  temporaryFolder,
  type TemporaryFolder,
} from '../../src/index.ts';
import { Pipeline, s3Options, type SyncResult } from './pipeline.ts';

let postgres: PostgresServer;
let s3: S3Server;
const folders: TemporaryFolder[] = [];
beforeAll(async () => {
  [postgres, s3] = await Promise.all([startPostgres({ databases: ['lake'] }), startS3()]);
  await postgres.query(
    `CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(30,2) NOT NULL, at timestamptz, who uuid, data bytea, tags text[]);
     INSERT INTO orders SELECT 9007199254740990 + g, g + 0.25, timestamptz '2025-06-01 00:00Z' + make_interval(hours => g),
       md5(g::text)::uuid, decode(lpad(to_hex(g), 4, '0'), 'hex'), ARRAY['a', NULL] FROM generate_series(1, 100) AS g;
     CREATE TABLE nothing (id int PRIMARY KEY)`,
    [],
    'lake',
  );
});
afterAll(async () => {
  for (const folder of folders) await folder[Symbol.asyncDispose]();
  await s3?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

async function openPipeline(destination: Record<string, unknown> = {}): Promise<Pipeline> {
  const folder = await temporaryFolder('fjord-reading');
  folders.push(folder);
  const stream = { target: { namespace: 'shop' }, partition: ['day(at)'] };
  const pipeline = new Pipeline(folder.path, postgres, {
    match: ['public.orders'],
    stream,
    source: { database: 'lake' },
    destination,
  });
  expect((await pipeline.sync()).exitCode).toBe(0);
  return pipeline;
}

const rowsOf = ({ stdout }: SyncResult) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

const SQL = `SELECT id, total, "at", who, data, tags, sum(total) OVER () AS "all" FROM shop.orders ORDER BY id LIMIT 1`;
const FIRST = {
  id: '9007199254740991',
  total: '1.25',
  at: '2025-06-01 01:00:00+00',
  who: 'c4ca4238-a0b9-2382-0dcc-509a6f75849b',
  data: '\\x00\\x01',
  tags: ['a', null],
  all: '5075.00',
};

test('a query over the pipeline’s tables gives exact values, and a table is described', async () => {
  const pipeline = await openPipeline();
  const answer = await pipeline.run('query', SQL);
  expect(answer.stderr).toBe('');
  expect(rowsOf(answer)).toEqual([FIRST]);

  const wrong = await pipeline.run('query', 'SELECT nonsense FROM orders');
  expect(wrong.exitCode).toBe(2);
  expect(wrong.lines).toMatchObject([
    { type: 'ERROR', code: 'arguments_invalid', message: expect.stringContaining('nonsense') as string },
  ]);

  const [described] = rowsOf(await pipeline.run('table', 'shop.orders'));
  expect(described).toMatchObject({
    table: 'shop.orders',
    stream: 'public.orders',
    contents: {
      partition: ['day(at)'],
      key: ['id'],
      files: { rows: 100, deleteFiles: 0 },
      snapshots: [{ operation: 'append' }],
    },
  });
  const unknown = await pipeline.run('table', 'items');
  expect(unknown.lines).toMatchObject([{ code: 'arguments_invalid', help: 'Its tables are shop.orders.' }]);
});

test('a warehouse in a bucket is queried by copies, of no more bytes than the pipeline allows', async () => {
  const destination = { warehouse: `s3://${s3.bucket}/reading`, catalog: { type: 'hadoop' }, s3: s3Options(s3) };
  const pipeline = await openPipeline(destination);
  expect(rowsOf(await pipeline.run('query', SQL))).toEqual([FIRST]);

  const strict = new Pipeline(pipeline.folder, postgres, {
    match: ['public.orders'],
    stream: { target: { namespace: 'shop' } },
    source: { database: 'lake' },
    destination: { ...destination, queryCopyMB: 0 },
  });
  const refused = await strict.run('query', SQL);
  expect(refused.exitCode).toBe(2);
  expect(refused.lines).toMatchObject([
    { code: 'config_invalid', help: expect.stringContaining('queryCopyMB') as string },
  ]);
});

test('while the source is away, tables are those that the last sync knew; without one the source is missed', async () => {
  const pipeline = await openPipeline();
  const written = JSON.parse(await readFile(pipeline.file, 'utf8'));
  written.source.config.port = 1;
  await writeFile(pipeline.file, JSON.stringify(written));
  const found = await pipeline.run('query', 'SELECT count(*) AS n FROM orders');
  expect(found.exitCode, found.stderr).toBe(0);
  expect(rowsOf(found)).toEqual([{ n: '100' }]);
  expect(found.stderr).toContain('these are the tables of the last sync');
  expect((await pipeline.run('table', 'orders')).exitCode).toBe(0);

  await rm(path.join(pipeline.folder, '.fjord'), { recursive: true });
  const missed = await pipeline.run('query', 'SELECT count(*) AS n FROM orders');
  expect(missed.exitCode).toBe(3);
  expect(missed.stderr).toContain('source_unreachable');
});
