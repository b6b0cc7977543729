import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  findFreePort,
  findMountProblem,
  mountMemoryDisk,
  type PostgresServer,
  type S3Server,
  startPostgres,
  startS3,
  startTcpProxy,
  type TemporaryFolder,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline, s3Options } from './pipeline.ts';

const ROWS = 40_000;
/** Of the rows' 6 MB, which hardly compress: full after some chunks, whatever else is written beside them. */
const SMALL_DISK_MB = 2;

const mountProblem = await findMountProblem();
const whereMountable = test.skipIf(mountProblem !== undefined);
const orWhy = mountProblem === undefined ? '' : ` (skipped: ${mountProblem})`;

let postgres: PostgresServer;
let s3: S3Server;
let folder: TemporaryFolder;

beforeAll(async () => {
  [postgres, s3, folder] = await Promise.all([startPostgres(), startS3(), temporaryFolder('fjord-messages')]);
  await postgres.query(`
    CREATE TABLE t AS SELECT n AS id, md5(n::text) || md5((-n)::text) || md5((n * 7)::text) || md5((n * 9)::text) AS pad
    FROM generate_series(1, ${ROWS}) n`);
});
afterAll(async () => {
  await s3?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

type Told = { code: string; message: string; fix: string };

/** Both verbs say the same of the same fault; `check` ends with 2, `sync` with the exit code of the fault. */
async function expectTold(pipeline: Pipeline, exitCode: number, { code, message, fix }: Told): Promise<void> {
  const check = await pipeline.run('check');
  expect(check.exitCode, check.stdout).toBe(2);
  const [{ problems }] = check.lines.filter((line) => 'problems' in line) as [{ problems: unknown[] }];
  const told = { code, message: expect.stringContaining(message), fix: expect.stringContaining(fix) };
  expect(problems).toContainEqual(expect.objectContaining(told));
  const sync = await pipeline.sync();
  expect(sync.exitCode, sync.stderr).toBe(exitCode);
  const error = { code, message: expect.stringContaining(message), help: expect.stringContaining(fix) };
  expect(sync.lines.findLast(({ type }) => type === 'ERROR')).toMatchObject(error);
}

test('a host that takes connections and never answers is told after the time to connect', async () => {
  await using proxy = await startTcpProxy(postgres);
  proxy.stall();
  const source = { port: proxy.port, connectTimeoutSeconds: 0.5 };
  await expectTold(new Pipeline(folder.path, postgres, { source }), 3, {
    code: 'source_unreachable',
    message: `The server 127.0.0.1:${proxy.port} does not answer.`,
    fix: 'Check host, port, firewall',
  });
});

test('a port of which somebody else hangs up is no server that was reached', async () => {
  await using proxy = await startTcpProxy(postgres);
  proxy.cutAfterBytes = () => 0;
  await expectTold(new Pipeline(folder.path, postgres, { source: { port: proxy.port } }), 3, {
    code: 'source_unreachable',
    message: `The server 127.0.0.1:${proxy.port} closes connections before anybody is logged in.`,
    fix: 'Check host, port, firewall',
  });
});

/** A warehouse in S3 with its catalog in a file. */
const inS3 = (warehouse: string, changes: Record<string, unknown> = {}) => ({
  warehouse,
  s3: { ...s3Options(s3), ...changes },
  catalog: { type: 'sqlite', file: path.join(folder.path, 's3-catalog.db') },
});

test('a wrong S3 secret is told as such, and is in no output', async () => {
  const destination = inS3('s3://warehouse/lake', { secretAccessKey: '${env:WRONG_SECRET}' });
  const pipeline = new Pipeline(folder.path, postgres, { destination, env: { WRONG_SECRET: 'canary-wrong-secret' } });
  await expectTold(pipeline, 2, {
    code: 'storage_denied',
    message: 's3://warehouse/lake/',
    fix: 'Correct the access key and its secret',
  });
  const { stdout, stderr } = await pipeline.run('state');
  expect(stdout + stderr).not.toContain('canary');
});

test('a bucket that does not exist is to be made, or named right', async () => {
  await expectTold(new Pipeline(folder.path, postgres, { destination: inS3('s3://nowhere/lake') }), 2, {
    code: 'config_invalid',
    message: 's3://nowhere/lake/',
    fix: 'Create the bucket, or correct option warehouse.',
  });
});

test('a catalog database that does not answer is no bug of ours', async () => {
  const uri = `postgresql://fjord@127.0.0.1:${await findFreePort()}/catalog`;
  const destination = { catalog: { type: 'postgres', uri } };
  await expectTold(new Pipeline(folder.path, postgres, { destination }), 3, {
    code: 'destination_unreachable',
    message: "The catalog's PostgreSQL database could not be used (ECONNREFUSED).",
    fix: 'Check catalog',
  });
});

test('a file in the place of the warehouse is told by its name', async () => {
  const warehouse = path.join(folder.path, 'taken');
  await writeFile(warehouse, 'not a folder');
  await expectTold(new Pipeline(folder.path, postgres, { destination: { warehouse } }), 2, {
    code: 'config_invalid',
    message: `${warehouse}/catalog.db could not be opened (EEXIST).`,
    fix: 'A file stands where a folder is needed',
  });
});

whereMountable(`a warehouse that is mounted read-only is told, not a bug of ours${orWhy}`, async () => {
  await using disk = await mountMemoryDisk(path.join(folder.path, 'read-only'), { megabytes: 1, isReadOnly: true });
  const catalog = { type: 'sqlite', file: path.join(folder.path, 'elsewhere.db') };
  const destination = { warehouse: disk.path, catalog };
  await expectTold(new Pipeline(folder.path, postgres, { destination }), 2, {
    code: 'storage_denied',
    message: '(EROFS)',
    fix: 'The file system is mounted read-only',
  });
  const within = await new Pipeline(folder.path, postgres, { destination: { warehouse: disk.path } }).sync();
  expect(within.exitCode, within.stderr).toBe(2);
  expect(within.lines.findLast(({ type }) => type === 'ERROR')).toMatchObject({
    code: 'storage_denied',
    message: `The catalog file ${disk.path}/catalog.db could not be opened (unable to open database file).`,
  });
});

whereMountable.each(['chunk', 'snapshot'] as const)(
  `a disk that becomes full in mid-load loses nothing: after space is made the sync goes on, in %s consistency${orWhy}`,
  async (consistency) => {
    await using own = await temporaryFolder('fjord-full');
    await using disk = await mountMemoryDisk(path.join(own.path, 'lake'), { megabytes: SMALL_DISK_MB });
    const source = { consistency, chunkMB: 0.3, parallel: 1 };
    const pipeline = new Pipeline(own.path, postgres, { source, destination: { commitIntervalSeconds: 0 } });
    const full = await pipeline.sync();
    expect(full.exitCode, full.stderr).toBe(3);
    expect(full.lines.findLast(({ type }) => type === 'ERROR')).toMatchObject({
      help: 'Make space on the disk, then run the sync again; it resumes from the last commit.',
    });
    await disk.resize(100);
    const again = await pipeline.sync();
    expect(again.exitCode, again.stderr).toBe(0);
    expect((await pipeline.read('duckdb', 't')).rows).toEqual((await pipeline.expected('SELECT * FROM t')).rows);
  },
);
