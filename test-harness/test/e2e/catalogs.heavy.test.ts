import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Catalog, type CatalogOptions, openCatalog, planFiles } from '@fjord/iceberg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AwsStandIn,
  type GcsServer,
  type HttpFaults,
  type PostgresServer,
  type RestCatalogServer,
  type S3Server,
  readWithDuckDB,
  readWithPyIceberg,
  sortRows,
  startGcs,
  startHttpFaults,
  startMoto,
  startPostgres,
  startRestCatalog,
  startS3,
  temporaryFolder,
  type TemporaryFolder,
} from '../../src/index.ts';
import { startLendingCatalog } from './lending-catalog.ts';
import { Pipeline, s3Options } from './pipeline.ts';

let postgres: PostgresServer;
let s3: S3Server;
let rest: RestCatalogServer;
let faults: HttpFaults;
let aws: AwsStandIn;
let gcs: GcsServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  [postgres, s3, aws, gcs, folder] = await Promise.all([
    startPostgres({ databases: ['shop', 'catalog'] }),
    startS3(),
    startMoto(),
    startGcs(),
    temporaryFolder('fjord-catalogs'),
  ]);
  rest = await startRestCatalog({ s3 });
  faults = await startHttpFaults(rest.uri);
  await postgres.query('CREATE TABLE orders (id bigint PRIMARY KEY, name text, amount numeric(12, 2), at timestamptz)');
  await postgres.query(`INSERT INTO orders SELECT i, CASE WHEN i % 7 > 0 THEN 'name ' || i END, i / 8.0,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute' FROM generate_series(1, 20000) i`);
});
afterAll(async () => {
  for (const server of [faults, rest, postgres, s3, aws, gcs, folder]) await server?.[Symbol.asyncDispose]();
});

/** A destination, and how its catalog is opened beside Fjord. */
type Case = { destination: Record<string, unknown>; catalog: CatalogOptions; env?: Record<string, string> };

const s3Properties = () => ({
  's3.endpoint': s3.endpoint,
  's3.region': s3.region,
  's3.access-key-id': s3.accessKeyId,
  's3.secret-access-key': s3.secretAccessKey,
});

const CASES: Record<string, () => Case> = {
  'a REST catalog and S3': () => ({
    destination: { catalog: { type: 'rest', uri: rest.uri }, s3: s3Options(s3) },
    catalog: { type: 'rest', uri: rest.uri, io: s3Properties() },
  }),
  'AWS Glue (its stand-in) and S3': () => ({
    destination: {
      warehouse: `s3://${s3.bucket}/glue`,
      catalog: { type: 'glue', endpoint: aws.endpoint },
      s3: s3Options(s3),
    },
    catalog: { type: 'glue', ...aws, warehouse: `s3://${s3.bucket}/glue`, io: s3Properties() },
  }),
  'a PostgreSQL catalog and S3': () => {
    const uri = postgres.connectionString.replace(/shop$/, 'catalog');
    return {
      destination: {
        warehouse: `s3://${s3.bucket}/pg`,
        catalog: { type: 'postgres', uri: '${env:CATALOG_URI}' },
        s3: s3Options(s3),
      },
      catalog: { type: 'sql', uri, name: 'fjord', warehouse: `s3://${s3.bucket}/pg`, io: s3Properties() },
      env: { CATALOG_URI: uri },
    };
  },
  'folders in S3 alone': () => ({
    destination: { warehouse: `s3://${s3.bucket}/folders`, catalog: { type: 'hadoop' }, s3: s3Options(s3) },
    catalog: { type: 'hadoop', warehouse: `s3://${s3.bucket}/folders`, io: s3Properties() },
  }),
};

async function newPipeline({ destination, env }: Case): Promise<Pipeline> {
  const own = path.join(folder.path, randomUUID());
  await mkdir(own);
  return new Pipeline(own, postgres, { destination: { warehouse: undefined, ...destination }, ...(env && { env }) });
}

async function loadOrders(catalog: Catalog) {
  const table = await catalog.loadTable({ namespace: ['public'], name: 'orders' });
  if (!table) throw new Error('There is no table.');
  return table;
}

async function expectExactCopy(given: Case): Promise<void> {
  await using catalog = await openCatalog(given.catalog);
  const { metadataLocation } = await loadOrders(catalog);
  const expected = await new Pipeline(folder.path, postgres).expected('SELECT * FROM orders');
  for (const read of [readWithPyIceberg, readWithDuckDB]) {
    const { rows } = await read({ metadataLocation, s3 });
    expect(sortRows(rows)).toEqual(expected.rows);
  }
}

describe.each(Object.entries(CASES))('a sync into %s', (_what, makeCase) => {
  test('is found fit, is exact for foreign readers, and copies nothing twice', async () => {
    const given = makeCase();
    const pipeline = await newPipeline(given);
    const check = await pipeline.run('check');
    expect(check.exitCode, check.stderr).toBe(0);
    const first = await pipeline.sync();
    expect(first.exitCode, first.stderr).toBe(0);
    await expectExactCopy(given);
    const again = await pipeline.sync();
    expect(again.exitCode, again.stderr).toBe(0);
    await expectExactCopy(given);
    for (const secret of [s3.secretAccessKey, postgres.password]) {
      expect(first.stderr + first.stdout + check.stderr + check.stdout).not.toContain(secret);
    }
  });
});

test('a sync into Google Cloud Storage (its stand-in) writes every row once', async () => {
  const pipeline = await newPipeline({
    destination: {
      warehouse: `gs://${gcs.bucket}/e2e`,
      catalog: { type: 'sqlite', file: path.join(folder.path, 'gcs.db') },
      gcs: { endpoint: gcs.endpoint },
    },
    catalog: { type: 'hadoop', warehouse: folder.path },
  });
  const check = await pipeline.run('check');
  expect(check.exitCode, check.stderr).toBe(0);
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  const uri = path.join(folder.path, 'gcs.db');
  const io = { 'gcs.service.host': gcs.endpoint, 'gcs.no-auth': 'true' };
  await using catalog = await openCatalog({ type: 'sql', uri, name: 'fjord', warehouse: `gs://${gcs.bucket}/e2e`, io });
  const files = await Array.fromAsync(planFiles(await loadOrders(catalog)));
  expect(files.reduce((sum, { file }) => sum + file.recordCount, 0n)).toBe(20_000n);
});

test('a sync writes with keys that the catalog lends, in all its threads, and asks for fresh ones', async () => {
  await using lending = await startLendingCatalog(rest.uri, s3);
  await postgres.query('CREATE SCHEMA lent');
  await postgres.query('CREATE TABLE lent.orders AS SELECT * FROM orders');
  const own = path.join(folder.path, randomUUID());
  await mkdir(own);
  const { endpoint, region } = s3;
  const destination = {
    warehouse: undefined,
    catalog: { type: 'rest', uri: lending.uri },
    s3: { endpoint, region, pathStyle: true },
  };
  // Nothing else on this machine may lend keys.
  const env = {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  const pipeline = new Pipeline(own, postgres, { destination, match: ['lent.*'], env });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  expect(lending.loans).toBeGreaterThan(2);
  await using catalog = await openCatalog({ type: 'rest', uri: rest.uri, io: s3Properties() });
  const table = await catalog.loadTable({ namespace: ['lent'], name: 'orders' });
  const { rows } = await readWithDuckDB({ metadataLocation: table?.metadataLocation ?? '', s3 });
  expect(sortRows(rows)).toEqual((await pipeline.expected('SELECT * FROM lent.orders')).rows);
});

test('every answer to a commit lost once: a sync through a REST catalog still copies each row once', async () => {
  const swallowed = new Set<string>();
  faults.faultFor = ({ method, url }) => {
    // A commit, not a creation; of each table the first two are carried out, and their answers lost.
    if (method !== 'POST' || !/\/tables\/[^/]+$/.test(url)) return undefined;
    const key = `${url} ${swallowed.has(`${url} 1`) ? 2 : 1}`;
    if (swallowed.has(key)) return undefined;
    swallowed.add(key);
    return 'swallow';
  };
  await postgres.query('CREATE SCHEMA lossy');
  await postgres.query('CREATE TABLE lossy.orders AS SELECT * FROM orders');
  const given: Case = {
    destination: { catalog: { type: 'rest', uri: faults.endpoint }, s3: s3Options(s3) },
    catalog: { type: 'rest', uri: rest.uri, io: s3Properties() },
  };
  const own = path.join(folder.path, randomUUID());
  await mkdir(own);
  const destination = { warehouse: undefined, ...given.destination };
  const pipeline = new Pipeline(own, postgres, { destination, match: ['lossy.*'], writeMode: 'overwrite' });
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  expect(swallowed.size).toBeGreaterThan(1);
  await using catalog = await openCatalog(given.catalog);
  const table = await catalog.loadTable({ namespace: ['lossy'], name: 'orders' });
  const { rows } = await readWithPyIceberg({ metadataLocation: table?.metadataLocation ?? '', s3 });
  const expected = await pipeline.expected('SELECT * FROM lossy.orders');
  expect(sortRows(rows)).toEqual(expected.rows);
});
