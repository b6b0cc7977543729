import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  makeSshKey,
  type PostgresServer,
  startPostgres,
  startSshServer,
  startTcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline, type SyncResult } from './pipeline.ts';

// In a URI it stands percent-encoded: neither form may be seen.
const CANARY = 'canary p@ss/4711';
const FORMS = [CANARY, encodeURIComponent(CANARY), 'canary'];

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.query(`CREATE ROLE reader LOGIN PASSWORD '${CANARY}'; CREATE TABLE t AS SELECT 1 AS id`);
  await postgres.query('GRANT SELECT ON t TO reader');
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

/** No form of the secret in what was printed, nor in any file but those that hold it on purpose. */
async function expectUnseen(results: SyncResult[], folder: string, but: string[] = []): Promise<void> {
  for (const { stdout, stderr } of results) {
    for (const form of FORMS) expect(stdout + stderr).not.toContain(form);
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || but.includes(file)) continue;
    const bytes = await readFile(file, 'latin1');
    for (const form of FORMS) expect(bytes, file).not.toContain(form);
  }
}

async function runAll(pipeline: Pipeline): Promise<SyncResult[]> {
  const results: SyncResult[] = [];
  for (const verb of ['check', 'discover', 'sync', 'state']) results.push(await pipeline.run(verb));
  return results;
}

/** A pipeline whose source is what is given, and nothing else. */
function pipelineOf(folder: string, source: Record<string, unknown>, env: Record<string, string> = {}): Pipeline {
  const absent = { host: undefined, port: postgres.port, user: undefined, database: undefined, password: undefined };
  return new Pipeline(folder, postgres, { source: { ...absent, tls: { mode: 'disable' }, ...source }, env });
}

test('the password in a URI is seen nowhere, whether it is right or wrong', async () => {
  await using folder = await temporaryFolder('fjord-secret');
  const uriOf = (user: string) =>
    `postgresql://${user}:${encodeURIComponent(CANARY)}@127.0.0.1:${postgres.port}/postgres?sslmode=disable`;
  const right = pipelineOf(folder.path, { uri: '${env:SHOP_URI}' }, { SHOP_URI: uriOf('reader') });
  const results = await runAll(right);
  expect(
    results.map(({ exitCode }) => exitCode),
    results[2]?.stderr,
  ).toEqual([0, 0, 0, 0]);
  const wrong = pipelineOf(folder.path, { uri: '${env:SHOP_URI}' }, { SHOP_URI: uriOf('fjord') });
  const refused = await wrong.sync();
  expect(refused.exitCode).toBe(2);
  const broken = pipelineOf(folder.path, { uri: '${env:SHOP_URI}' }, { SHOP_URI: `${uriOf('reader')}&canary` });
  await expectUnseen([...results, refused, await broken.run('check')], folder.path);
});

test('the output of a password command is seen nowhere, not in the arguments of any process either', async () => {
  await using folder = await temporaryFolder('fjord-secret');
  const files = { password: path.join(folder.path, 'password'), processes: path.join(folder.path, 'processes') };
  await writeFile(files.password, CANARY);
  // Asked in the middle of a run, it tells what everybody may see of the processes then.
  const script = 'ps -eo args >> "$0"; cat "$1"';
  const own = { host: '127.0.0.1', user: 'reader', database: 'postgres' };
  const passwordCommand = ['sh', '-c', script, files.processes, files.password];
  const results = await runAll(pipelineOf(folder.path, { ...own, passwordCommand }));
  expect(
    results.map(({ exitCode }) => exitCode),
    results[2]?.stderr,
  ).toEqual([0, 0, 0, 0]);
  expect(await readFile(files.processes, 'utf8')).toContain('read --config');
  const failing = ['sh', '-c', `cat "$0"; cat "$0" >&2; exit 1`, files.password];
  const failed = await pipelineOf(folder.path, { ...own, passwordCommand: failing }).sync();
  expect(failed.exitCode).toBe(2);
  await expectUnseen([...results, failed], folder.path, [files.password]);
});

test('the passphrase of an SSH key is seen nowhere, whether it is right or wrong', async () => {
  await using folder = await temporaryFolder('fjord-secret');
  await using keys = await temporaryFolder('fjord-keys');
  await using ssh = await startSshServer();
  const key = await makeSshKey(path.join(keys.path, 'key'), { passphrase: CANARY });
  await ssh.authorize(key);
  const { host, port, user, hostKeys } = ssh;
  const tunnel = { host, port, user, hostKey: hostKeys[0]?.fingerprint, privateKeyFile: key.file };
  const own = { host: '127.0.0.1', user: 'reader', database: 'postgres', password: '${env:SHOP_PASSWORD}' };
  const at = (passphrase: string) =>
    pipelineOf(
      folder.path,
      { ...own, sshTunnel: { ...tunnel, passphrase: '${env:PASSPHRASE}' } },
      { SHOP_PASSWORD: CANARY, PASSPHRASE: passphrase },
    );
  const results = await runAll(at(CANARY));
  expect(
    results.map(({ exitCode }) => exitCode),
    results[2]?.stderr,
  ).toEqual([0, 0, 0, 0]);
  const refused = await at('canary-wrong').sync();
  expect(refused.exitCode).toBe(2);
  await expectUnseen([...results, refused], folder.path);
});

test('the salt of a hash is seen nowhere: not in arguments, states, tables or outputs, nor by the database', async () => {
  await using folder = await temporaryFolder('fjord-secret');
  await using keys = await temporaryFolder('fjord-keys');
  const file = path.join(keys.path, 'salt');
  await writeFile(file, CANARY);
  await postgres.query(`
    CREATE TABLE salted AS SELECT n AS id, 'a' || n AS a, 'b' || n AS b FROM generate_series(1, 30000) n;
    ALTER ROLE reader SET log_statement = 'all'; GRANT SELECT ON salted TO reader`);
  await using proxy = await startTcpProxy(postgres);
  const sent: Buffer[] = [];
  let processes = '';
  proxy.onSent = (piece) => {
    sent.push(piece);
    // Rows are about to come: all processes are at work.
    if (piece.includes('COPY (')) processes += execFileSync('ps', ['-eo', 'args']).toString();
  };
  const salts = { a: '${env:FJORD_TEST_SALT}', b: `\${file:${file}}` };
  const pipeline = new Pipeline(folder.path, postgres, {
    match: ['public.salted'],
    stream: { columns: { transform: { a: { hash: { salt: salts.a } }, b: { hash: { salt: salts.b } } } } },
    source: { port: proxy.port, user: 'reader', chunkMB: 0.5, consistency: 'chunk' },
    password: CANARY,
    env: { FJORD_TEST_SALT: CANARY },
  });
  const results = await runAll(pipeline);
  expect(
    results.map(({ exitCode }) => exitCode),
    results[2]?.stderr,
  ).toEqual([0, 0, 0, 0]);
  const { rows } = await pipeline.read('duckdb', 'salted');
  expect(rows[0]).toEqual(['1', hmac('a1'), hmac('b1')]);
  await proxy.refuse();
  const failed = await pipeline.sync();
  expect(failed.exitCode).toBe(3);
  await expectUnseen([...results, failed], folder.path);
  const said = Buffer.concat(sent).toString('latin1');
  for (const [where, text, known] of [
    ['the arguments of a process', processes, 'read --config'],
    ['what the server was sent', said, 'COPY ('],
    ["the server's log", postgres.log, 'COPY ('],
  ] as const) {
    expect(text, where).toContain(known);
    for (const form of FORMS) expect(text, where).not.toContain(form);
  }
});

const hmac = (text: string) => createHmac('sha256', CANARY).update(text).digest('hex');
