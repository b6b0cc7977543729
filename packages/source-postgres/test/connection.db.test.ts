import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findFreePort, type PostgresServer, startPostgres, startTcpProxy, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { connect } from '../src/connection.ts';
import { configFor } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

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

/** The config without host, port, database and user: for those that have a URI. */
function bare(changes: Partial<Config>): Config {
  const { host: _host, port, database: _database, user: _user, password: _password, ...rest } = configFor(server);
  return { ...rest, port, ...changes };
}

test('a URI with everything in it connects', async () => {
  const uri = `${server.connectionString}?sslmode=disable&application_name=by%20uri&options=-c%20work_mem%3D3MB`;
  await using connection = await connect(bare({ uri }));
  expect(
    await connection.query(
      `SELECT pg_catalog.current_setting('application_name') AS name, pg_catalog.current_setting('work_mem') AS memory`,
    ),
  ).toEqual([{ name: 'by uri', memory: '3MB' }]);
});

test('a password file is read again for each connection', async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'password');
  const password = `\${file:${file}}`;
  await writeFile(file, 'canary-old\n');
  await expect(connect(configFor(server, { password }))).rejects.toMatchObject({ code: 'authentication_failed' });
  await writeFile(file, `${server.password}\n`);
  await using connection = await connect(configFor(server, { password }));
  expect(connection.isOpen).toBe(true);
});

test('a password command is run once for several connections, and again when its password is refused', async () => {
  await using folder = await temporaryFolder();
  const files = { runs: path.join(folder.path, 'runs'), password: path.join(folder.path, 'password') };
  await writeFile(files.password, server.password);
  const { password: _, ...config } = configFor(server, {
    passwordCommand: ['sh', '-c', `echo run >> "$0"; cat "$1"`, files.runs, files.password],
  });
  await using first = await connect(config);
  await using second = await connect(config);
  expect([first.isOpen, second.isOpen, await readFile(files.runs, 'utf8')]).toEqual([true, true, 'run\n']);
  await server.query(`ALTER ROLE fjord PASSWORD 'canary-new'`);
  try {
    await writeFile(files.password, 'canary-new');
    await using third = await connect(config);
    expect([third.isOpen, await readFile(files.runs, 'utf8')]).toEqual([true, 'run\nrun\n']);
  } finally {
    await first.client.query(`SET default_transaction_read_only = off`);
    await first.client.query(`ALTER ROLE fjord PASSWORD '${server.password}'`);
  }
});

test.each([
  [
    ['sh', '-c', 'echo canary-out; echo canary-err >&2; exit 3', 'canary-arg'],
    'The program "sh" of option passwordCommand ended with exit code 3.',
  ],
  [['true', 'canary-arg'], 'The program "true" of option passwordCommand printed nothing.'],
  [
    ['/no/such/program', 'canary-arg'],
    'The program "/no/such/program" of option passwordCommand could not be started (ENOENT).',
  ],
])('a password command that fails is told without its arguments and output: %j', async (passwordCommand, message) => {
  const { password: _, ...config } = configFor(server, { passwordCommand });
  await expect(connect(config)).rejects.toMatchObject({ code: 'authentication_failed', message });
});

test('of several hosts the first that answers is taken', async () => {
  const [dead, proxy] = await Promise.all([findFreePort(), startTcpProxy(server)]);
  await using _proxy = proxy;
  const at = (hosts: string, rest = '') =>
    bare({ uri: `postgresql://fjord:${server.password}@${hosts}/postgres?sslmode=disable&${rest}` });
  await using connection = await connect(at(`127.0.0.1:${dead},127.0.0.1:${proxy.port},127.0.0.1:${server.port}`));
  expect(connection.endpoint).toEqual({ host: '127.0.0.1', port: proxy.port, address: '127.0.0.1' });
  await expect(
    connect(at(`127.0.0.1:${dead},127.0.0.1:${server.port}`, 'target_session_attrs=standby')),
  ).rejects.toMatchObject({
    code: 'source_unreachable',
    message: `None of the 2 servers can be used: The server 127.0.0.1:${dead} refuses connections; The server 127.0.0.1:${server.port} is not standby, which the target session asks for.`,
  });
  await using preferred = await connect(
    at(`127.0.0.1:${dead},127.0.0.1:${server.port}`, 'target_session_attrs=prefer-standby'),
  );
  expect(preferred.endpoint.port).toBe(server.port);
});

test('a host that swallows what it is sent makes way for the next, after the timeout', async () => {
  await using proxy = await startTcpProxy(server);
  proxy.stall();
  const uri = `postgresql://fjord:${server.password}@127.0.0.1:${proxy.port},127.0.0.1:${server.port}/postgres?sslmode=disable`;
  await using connection = await connect(bare({ uri, connectTimeoutSeconds: 0.5 }));
  expect(connection.endpoint.port).toBe(server.port);
});

test('a host that refuses the log-in does not make way', async () => {
  await using proxy = await startTcpProxy(server);
  const uri = `postgresql://fjord:canary-wrong@127.0.0.1:${server.port},127.0.0.1:${proxy.port}/postgres?sslmode=disable`;
  await expect(connect(bare({ uri }))).rejects.toMatchObject({ code: 'authentication_failed' });
  expect(proxy.accepted).toBe(0);
});
