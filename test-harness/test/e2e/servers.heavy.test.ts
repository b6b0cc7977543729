import { expect, test } from 'vitest';
import {
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startPostgresStandby,
  startSshServer,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';
import { expectedTypes, parseExpected, typesTable } from './type-vectors.ts';

const ROWS = 60_000;
const STATEMENTS = [
  `CREATE TABLE big (id bigint PRIMARY KEY, at timestamptz, amount numeric(12, 2), pad text)`,
  `INSERT INTO big SELECT n, timestamptz '2026-02-01 12:00Z' + n * interval '1 s', n / 7.0, repeat('x', 200) FROM generate_series(1, ${ROWS}) AS n`,
  `CREATE TABLE parted (id int, half int) PARTITION BY LIST (half)`,
  `CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0)`,
  `CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)`,
  `INSERT INTO parted SELECT n, n % 2 FROM generate_series(1, 5000) AS n`,
];

async function fill(server: PostgresServer): Promise<void> {
  const [version] = await server.query<{ number: number }>(
    `SELECT current_setting('server_version_num')::int AS number`,
  );
  const number = version?.number ?? 0;
  for (const statement of [...typesTable(), ...STATEMENTS]) await server.query(spelledFor(number, statement));
}

/** What older versions lack: virtual columns came with 18, infinite intervals with 17. */
function spelledFor(version: number, sql: string): string {
  const stored = version < 180_000 ? sql.replaceAll(' VIRTUAL', ' STORED') : sql;
  return version < 170_000 ? stored.replaceAll(/'(-?)infinity'::interval\b/g, "'$1170000000 years'::interval") : stored;
}

/** Checks, discovers and loads everything, and compares what DuckDB reads with what the server says. */
async function expectFullLoad(server: PostgresServer, source: Record<string, unknown> = {}): Promise<void> {
  await using folder = await temporaryFolder('fjord-servers');
  const pipeline = new Pipeline(folder.path, server, { source: { chunkMB: 1, ...source } });
  const check = await pipeline.run('check');
  expect(check.exitCode, check.stdout + check.stderr).toBe(0);
  const discovered = await pipeline.run('discover');
  for (const name of ['big', 'parted', 'types']) expect(discovered.stdout).toContain(`public.${name}`);
  const sync = await pipeline.sync();
  expect(sync.exitCode, sync.stderr).toBe(0);
  for (const [name, sql] of [
    ['big', 'SELECT * FROM big'],
    ['parted', 'SELECT * FROM parted'],
  ] as const) {
    const [actual, expected] = await Promise.all([pipeline.read('duckdb', name), pipeline.expected(sql)]);
    expect(actual.rows.length, name).toBe(expected.rows.length);
    expect(actual.rows, name).toEqual(expected.rows);
  }
  const types = await pipeline.read('duckdb', 'types');
  expect(types.rows).toEqual(parseExpected(await pipeline.expected(expectedTypes()), 'duckdb').rows);
}

test.each([15, 16, 17, 18] as const)('PostgreSQL %d is checked, discovered and loaded whole', async (major) => {
  await using server = await startPostgres({ major });
  await fill(server);
  await expectFullLoad(server);
});

test('a streaming standby is loaded whole, in one snapshot', async () => {
  await using primary = await startPostgres({ major: 15 });
  await fill(primary);
  await using standby = await startPostgresStandby(primary, { hot_standby_feedback: 'on' });
  await expectFullLoad(standby, { targetSession: 'standby' });
});

test('a server behind PgBouncer and an SSH server is loaded whole, in one snapshot', async () => {
  await using server = await startPostgres();
  await fill(server);
  await using bouncer = await startPgBouncer(server, { poolMode: 'transaction' });
  await using ssh = await startSshServer();
  const { host, port, user, clientKey, hostKeys } = ssh;
  const sshTunnel = { host, port, user, privateKeyFile: clientKey.file, hostKey: hostKeys[0]?.fingerprint };
  await expectFullLoad(server, { port: bouncer.port, sshTunnel });
});
