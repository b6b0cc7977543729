import { chmod, chown, copyFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type CertificateAuthority,
  makeCertificateAuthority,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  temporaryFolder,
  type TemporaryFolder,
} from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { connect } from '../src/connection.ts';
import { configFor, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

// Users whose name begins with "cert" log in by certificate alone.
const HBA = `
hostssl all /^cert 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
`;
const ENCRYPTED = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

let server: PostgresServer;
let folder: TemporaryFolder;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;

beforeAll(async () => {
  [server, folder] = await Promise.all([startPostgres(), temporaryFolder('fjord-tls')]);
  authority = await makeCertificateAuthority(folder.path, 'authority');
  stranger = await makeCertificateAuthority(folder.path, 'stranger');
  const { certFile, keyFile } = await authority.issue('localhost');
  await install({ 'server.crt': certFile, 'server.key': keyFile, 'root.crt': authority.certFile });
  await writeFile(path.join(server.dataFolder, 'pg_hba.conf'), HBA);
  await server.query('CREATE ROLE certa LOGIN; CREATE TABLE t AS SELECT n AS id FROM generate_series(1, 50000) AS n');
  await server.query("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
  await server.query('ALTER SYSTEM SET ssl = on');
  await server.query('SELECT pg_reload_conf()');
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** Puts files into the server's folder, readable for its user alone. */
async function install(files: Record<string, string>): Promise<void> {
  const owner = await stat(server.dataFolder);
  for (const [name, file] of Object.entries(files)) {
    const copy = path.join(server.dataFolder, name);
    await copyFile(file, copy);
    await chmod(copy, 0o600);
    await chown(copy, owner.uid, owner.gid);
  }
}

type Tls = Config['tls'];
const trusting = (mode: Tls['mode'], changes: Partial<Tls> = {}): Tls => ({
  mode,
  caFile: authority.certFile,
  ...changes,
});
const attempt = (host: string, tls: Tls, changes: Partial<Config> = {}) =>
  connect(configFor(server, { host, tls, ...changes }));

describe('each mode is what it says', () => {
  test.each([
    ['localhost', 'verify-full'],
    ['127.0.0.1', 'verify-ca'],
    ['127.0.0.1', 'require'],
  ] as const)('reads from %s with %s', async (host, mode) => {
    const tls = trusting(mode);
    await using connection = await attempt(host, tls);
    expect(await connection.query(ENCRYPTED)).toEqual([{ ssl: true }]);
    await using database = openDatabase(server, { host, tls });
    const stream = await selectNamed(database, 'public.t');
    const plan = await database.planChunks(stream, planRequest(1 << 20));
    expect(await readRows(database, stream, { plan })).toHaveLength(50_000);
  });

  test.each([
    ['a wrong name', '127.0.0.1', 'verify-full', 'authority', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a wrong CA', 'localhost', 'verify-full', 'stranger', 'SIGNATURE'],
    ['a wrong CA', 'localhost', 'verify-ca', 'stranger', 'SIGNATURE'],
    ['no CA', 'localhost', 'verify-full', undefined, 'SIGNATURE'],
    ['no CA', '127.0.0.1', 'verify-ca', undefined, 'SIGNATURE'],
  ] as const)('%s is refused (%s, %s)', async (_, host, mode, ca, reason) => {
    const caFile = ca && path.join(folder.path, `${ca}.crt`);
    await expect(attempt(host, { mode, ...(caFile && { caFile }) })).rejects.toMatchObject({
      code: 'tls_failed',
      message: expect.stringMatching(reason === 'SIGNATURE' ? /UNABLE_TO_|CERT_SIGNATURE|SELF_SIGNED/ : reason),
    });
  });

  test('require takes a server that nobody vouches for', async () => {
    await using connection = await attempt('127.0.0.1', { mode: 'require' });
    expect(await connection.query(ENCRYPTED)).toEqual([{ ssl: true }]);
  });

  test('disable sends in the clear', async () => {
    await using connection = await attempt('127.0.0.1', { mode: 'disable' });
    expect(await connection.query(ENCRYPTED)).toEqual([{ ssl: false }]);
  });

  test('a URI says it in the words of libpq', async () => {
    const { host: _h, database: _d, user: _u, password, ...rest } = configFor(server, { tls: { mode: 'verify-full' } });
    const at = (host: string, query: string) =>
      connect({ ...rest, uri: `postgresql://fjord:${password}@${host}:${server.port}/postgres?${query}` });
    const root = `sslrootcert=${encodeURIComponent(authority.certFile)}`;
    await using named = await at('localhost', root);
    await using byAddress = await at('localhost', `hostaddr=127.0.0.1&sslmode=verify-full&${root}`);
    await using checked = await at('127.0.0.1', `sslmode=require&${root}`);
    for (const connection of [named, byAddress, checked]) {
      expect(await connection.query(ENCRYPTED)).toEqual([{ ssl: true }]);
    }
    await expect(at('127.0.0.1', root)).rejects.toMatchObject({ code: 'tls_failed' });
    const wrong = `sslrootcert=${encodeURIComponent(stranger.certFile)}`;
    await expect(at('127.0.0.1', `sslmode=require&${wrong}`)).rejects.toMatchObject({ code: 'tls_failed' });
  });
});

describe('a client certificate', () => {
  const user = { user: 'certa' };

  test('logs its user in, with a key that is encrypted or not', async () => {
    const plain = await authority.issue('certa');
    await using first = await attempt('localhost', trusting('verify-full', plain), user);
    const encrypted = await authority.issue('certa', { passphrase: 'canary-pass' });
    const tls = trusting('verify-full', { ...encrypted, keyPassphrase: 'canary-pass' });
    await using second = await attempt('localhost', tls, user);
    expect([first.isOpen, second.isOpen]).toEqual([true, true]);
    const error: unknown = await attempt('localhost', { ...tls, keyPassphrase: 'canary-wrong' }, user).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(JSON.stringify([error, String(error)])).not.toContain('canary');
  });

  test('that is missing, of another user or of another authority is refused', async () => {
    await expect(attempt('localhost', trusting('verify-full'), user)).rejects.toMatchObject({
      code: 'authentication_failed',
      message: expect.stringContaining('connection requires a valid client certificate'),
    });
    const other = await authority.issue('certb');
    await expect(attempt('localhost', trusting('verify-full', other), user)).rejects.toMatchObject({
      code: 'authentication_failed',
    });
    const forged = await stranger.issue('certa');
    await expect(attempt('localhost', trusting('verify-full', forged), user)).rejects.toMatchObject({
      code: expect.stringMatching(/^(tls_failed|source_unreachable)$/),
    });
  });

  test('without its key, or not readable, is a wrong option', async () => {
    const { certFile } = await authority.issue('certa');
    await expect(attempt('localhost', trusting('verify-full', { certFile }), user)).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The option tls.certFile needs tls.keyFile beside it.',
    });
    await expect(attempt('localhost', { mode: 'verify-full', caFile: '/nowhere/ca.pem' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The file "/nowhere/ca.pem" of option tls.caFile cannot be read.',
    });
  });
});

describe('SCRAM', () => {
  test('is what the password is stored as, and channel binding is used where it is offered', async () => {
    expect(
      await server.query(`SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = 'fjord'`),
    ).toEqual([{ scram: true }]);
    await using bound = await attempt('localhost', trusting('verify-full', { channelBinding: 'require' }));
    await using loose = await attempt('localhost', trusting('verify-full', { channelBinding: 'disable' }));
    expect([bound.isOpen, loose.isOpen]).toEqual([true, true]);
  });

  test('with channel binding required does not go on without it', async () => {
    const refused = { code: 'tls_failed', message: expect.stringContaining('channel binding') };
    const tls: Tls = { mode: 'disable', channelBinding: 'require' };
    await expect(attempt('127.0.0.1', tls)).rejects.toMatchObject(refused);
    const { certFile, keyFile } = await authority.issue('localhost');
    const open = { client_tls_sslmode: 'require', client_tls_cert_file: certFile, client_tls_key_file: keyFile };
    await chmod(keyFile, 0o644);
    await using bouncer = await startPgBouncer(server, { poolMode: 'session', settings: open });
    const changes = { port: bouncer.port };
    await using loose = await attempt('localhost', trusting('verify-full'), changes);
    expect(loose.isPooled).toBe(true);
    await expect(
      attempt('localhost', trusting('verify-full', { channelBinding: 'require' }), changes),
    ).rejects.toMatchObject(refused);
  });
});
