import { chown, copyFile, chmod, stat } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../src/connection.ts';
import { configFor, openDatabase, readRows, selectNamed } from './postgres-fixture.ts';

const TLS_FOLDER = path.join(import.meta.dirname, 'tls');
const CA_FILE = path.join(TLS_FOLDER, 'server.crt');

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  const owner = await stat(server.dataFolder);
  for (const file of ['server.crt', 'server.key']) {
    const copy = path.join(server.dataFolder, file);
    await copyFile(path.join(TLS_FOLDER, file), copy);
    await chmod(copy, 0o600);
    await chown(copy, owner.uid, owner.gid);
  }
  await server.query('ALTER SYSTEM SET ssl = on');
  await server.query('SELECT pg_reload_conf()');
});
afterAll(() => server[Symbol.asyncDispose]());

describe('TLS', () => {
  test.each([
    ['localhost', { mode: 'verify-full', caFile: CA_FILE }],
    ['127.0.0.1', { mode: 'verify-ca', caFile: CA_FILE }],
    ['127.0.0.1', { mode: 'require' }],
  ] as const)('reads from %s with %o', async (host, tls) => {
    await server.query('CREATE TABLE IF NOT EXISTS t AS SELECT n AS id FROM generate_series(1, 50000) AS n');
    await using connection = await connect(configFor(server, { host, tls }));
    expect(await connection.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([{ ssl: true }]);
    await using database = openDatabase(server, { host, tls });
    const stream = await selectNamed(database, 'public.t');
    const plan = await database.planChunks(stream, { chunkBytes: 1 << 20, snapshot: undefined });
    expect(await readRows(database, stream, { plan })).toHaveLength(50_000);
  });

  test.each([
    ['localhost', { mode: 'verify-full' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['127.0.0.1', { mode: 'verify-full', caFile: CA_FILE }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['127.0.0.1', { mode: 'verify-ca' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)('refuses %s with %o', async (host, tls, reason) => {
    await expect(connect(configFor(server, { host, tls }))).rejects.toMatchObject({
      code: 'tls_failed',
      message: expect.stringContaining(`(${reason})`),
    });
  });

  test('a CA file that cannot be read is a wrong option', async () => {
    const tls = { mode: 'verify-full', caFile: '/nowhere/ca.pem' } as const;
    await expect(connect(configFor(server, { tls }))).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The file "/nowhere/ca.pem" of option tls.caFile cannot be read.',
    });
  });

  test('disable sends in the clear', async () => {
    await using connection = await connect(configFor(server));
    expect(await connection.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([
      { ssl: false },
    ]);
  });
});

test('the session is the same whatever server and role say', async () => {
  await server.query(`
    ALTER ROLE fjord SET DateStyle = 'German'; ALTER ROLE fjord SET TimeZone = 'Asia/Tokyo'; ALTER ROLE fjord SET IntervalStyle = 'sql_standard';
    ALTER ROLE fjord SET extra_float_digits = -3; ALTER ROLE fjord SET bytea_output = 'escape'; ALTER ROLE fjord SET search_path = public`);
  await using connection = await connect(configFor(server));
  expect(
    await connection.query(`
      SELECT date '2026-02-01'::text AS date, timestamptz '2026-02-01 12:00+00'::text AS at, interval '1 day 2 hours'::text AS span,
        0.1::float8::text AS fraction, '\\x00ff'::bytea::text AS bytes, pg_catalog.current_setting('search_path') AS path,
        pg_catalog.current_setting('application_name') AS name, pg_catalog.current_setting('row_security') AS policies`),
  ).toEqual([
    {
      date: '2026-02-01',
      at: '2026-02-01 12:00:00+00',
      span: 'P1DT2H',
      fraction: '0.1',
      bytes: '\\x00ff',
      path: '""',
      name: 'fjord',
      policies: 'off',
    },
  ]);
  await expect(connection.query('CREATE TABLE public.written (id int)')).rejects.toThrow();
});

test('a password in the environment is not taken', async () => {
  const { password, ...config } = configFor(server);
  process.env['PGPASSWORD'] = password;
  try {
    await expect(connect(config)).rejects.toMatchObject({ code: 'authentication_failed' });
  } finally {
    delete process.env['PGPASSWORD'];
  }
});

test('no error holds the password', async () => {
  const password = 'canary-9c1e';
  const error: unknown = await connect(configFor(server, { password })).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'authentication_failed' });
  expect(JSON.stringify([error, String(error), error instanceof Error ? error.stack : ''])).not.toContain(password);
});
