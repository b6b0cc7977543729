import { type PostgresServer, startPgBouncer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../src/connection.ts';
import { PostgresDatabase } from '../src/database.ts';
import { detectPooler } from '../src/pooler.ts';
import { configFor, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.query(`CREATE TABLE t AS SELECT n AS id, date '2026-02-01' AS day FROM generate_series(1, 20000) AS n`);
});
afterAll(() => server[Symbol.asyncDispose]());

test('a server that is reached directly is no pooler', async () => {
  await using connection = await connect(configFor(server));
  expect(await detectPooler(connection, configFor(server))).toBeUndefined();
});

describe.each([
  ['session', 'session', {}],
  ['transaction', 'transaction', {}],
  ['transaction', 'transaction', { server_round_robin: '1' }],
] as const)('PgBouncer in %s mode', (poolMode, mode, settings) => {
  test('is detected, with what it can', async () => {
    await using bouncer = await startPgBouncer(server, { poolMode, settings });
    const config = configFor(server, { port: bouncer.port });
    await using connection = await connect(config);
    expect(await detectPooler(connection, config)).toEqual({
      name: 'a pooler such as PgBouncer or Odyssey',
      mode,
      canHoldSnapshot: true,
    });
  });

  test('is read through, in a held snapshot, several at once', async () => {
    await using bouncer = await startPgBouncer(server, { poolMode, settings });
    const changes = { port: bouncer.port };
    await using first = openDatabase(server, changes);
    await using second = openDatabase(server, changes);
    const stream = await selectNamed(first, 'public.t');
    await using held = await first.holdSnapshot();
    const plan = await first.planChunks(stream, planRequest(1 << 18, { snapshot: held.token }));
    const last = plan.units - 1;
    const rest = Array.from({ length: last }, (_, unit) => unit);
    const [of, others] = await Promise.all([
      readRows(second, stream, { plan, unit: last, snapshot: held.token }),
      Array.fromAsync(rest, (unit) => readRows(first, stream, { plan, unit, snapshot: held.token })),
    ]);
    expect(new Set([...of, ...others.flat()].map(({ id }) => id)).size).toBe(20_000);
  });
});

test('through transaction pooling no setting reaches those who share the session', async () => {
  await using bouncer = await startPgBouncer(server, {
    poolMode: 'transaction',
    settings: { default_pool_size: '1', max_db_connections: '1' },
  });
  const config = configFor(server, { port: bouncer.port });
  await using fjord = await connect(config);
  await using other = await connect(config);
  const settings = `SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'row_security', 'default_transaction_read_only', 'IntervalStyle', 'work_mem') ORDER BY name`;
  const pinned = [
    { name: 'IntervalStyle', setting: 'iso_8601' },
    { name: 'default_transaction_read_only', setting: 'on' },
    { name: 'row_security', setting: 'off' },
    { name: 'search_path', setting: '""' },
    { name: 'work_mem', setting: '1024' },
  ];
  await fjord.pin({ work_mem: '1MB' });
  expect(await fjord.query(settings)).toEqual(pinned);
  await fjord.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  expect(await fjord.query(settings)).toEqual(pinned);
  expect(await fjord.query('SELECT $1::int4 AS value', [7])).toEqual([{ value: 7 }]);
  await fjord.query('COMMIT');
  await expect(fjord.query('SELECT 1/0')).rejects.toThrow();
  expect(await fjord.query('SELECT $1::int4 AS value', [7])).toEqual([{ value: 7 }]);
  const untouched = await other.client.query(settings);
  expect(untouched.rows).toEqual(
    pinned
      .map(({ name }) => ({ name, setting: expect.not.stringMatching(/^(iso_8601|on|off|""|1024)$/) }))
      .map((row) =>
        row.name === 'row_security'
          ? { ...row, setting: 'on' }
          : row.name.startsWith('default')
            ? { ...row, setting: 'off' }
            : row,
      ),
  );
});

test('a pool that has one session cannot hold a snapshot, which is found out in time', async () => {
  await using bouncer = await startPgBouncer(server, {
    poolMode: 'transaction',
    settings: { default_pool_size: '1', max_db_connections: '1' },
  });
  const config = configFor(server, { port: bouncer.port, connectTimeoutSeconds: 0.5 });
  await using connection = await connect(config);
  expect(await detectPooler(connection, config)).toMatchObject({ mode: 'transaction', canHoldSnapshot: false });
  await connection[Symbol.asyncDispose]();
  await using database = new PostgresDatabase(config);
  await expect(database.holdSnapshot()).rejects.toMatchObject({ code: 'unsupported' });
});

test('statement pooling is refused with the fix', async () => {
  await using bouncer = await startPgBouncer(server, { poolMode: 'statement' });
  await using connection = await connect(configFor(server, { port: bouncer.port }));
  await expect(connection.query('SELECT 1')).rejects.toMatchObject({
    code: 'unsupported',
    message: `The pooler at 127.0.0.1:${bouncer.port} allows no transactions (statement pooling).`,
    help: 'Set pool_mode = session or transaction for this database or user, or connect to the server itself.',
  });
});
