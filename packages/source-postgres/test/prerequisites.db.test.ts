import {
  findFreePort,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startPostgresStandby,
} from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { PostgresDatabase } from '../src/database.ts';
import { configFor, planRequest, readRows } from './postgres-fixture.ts';

let server: PostgresServer;
const READER = { user: 're"ader', password: 'canary-4711' };

async function check(changes: Partial<Config & { parallel: number }> = {}) {
  await using database = new PostgresDatabase({ ...configFor(server), ...changes });
  return database.findProblems();
}

beforeAll(async () => {
  server = await startPostgres({ databases: ['shop', 'bare'], settings: { max_connections: '20' } });
  await server.query(`
    CREATE ROLE "re""ader" LOGIN PASSWORD 'canary-4711';
    CREATE SCHEMA "Open"; GRANT USAGE ON SCHEMA "Open" TO "re""ader";
    CREATE SCHEMA closed;
    CREATE TABLE "Open".fine (id int);
    CREATE TABLE "Open"."No Grant" (id int);
    CREATE TABLE "Open".policed (id int); ALTER TABLE "Open".policed ENABLE ROW LEVEL SECURITY;
    CREATE TABLE "Open".parted (id int) PARTITION BY LIST (id);
    CREATE TABLE "Open".parted_1 PARTITION OF "Open".parted FOR VALUES IN (1);
    CREATE VIEW "Open".summary AS SELECT count(*) FROM "Open".fine;
    CREATE TABLE closed.t (id int);
    GRANT SELECT ON "Open".fine, "Open".policed, "Open".parted, closed.t TO "re""ader"`);
});
afterAll(() => server[Symbol.asyncDispose]());

test('a superuser of a good server has no problem', async () => {
  expect(await check()).toEqual([]);
});

describe('a connection that fails is told with its way out', () => {
  test('a wrong password', async () => {
    expect(await check({ password: 'canary-wrong' })).toEqual([
      {
        code: 'authentication_failed',
        message: `The server 127.0.0.1:${server.port} refused the password of user "fjord".`,
        fix: `Correct the password, or set it on the server: ALTER ROLE "fjord" PASSWORD '…';`,
      },
    ]);
  });

  test('no password', async () => {
    const { password: _, ...config } = configFor(server);
    await using database = new PostgresDatabase(config);
    expect(await database.findProblems()).toEqual([
      {
        code: 'authentication_failed',
        message: `The server 127.0.0.1:${server.port} asks for a password of user "fjord", and none is given.`,
        fix: 'Set the option `password`.',
      },
    ]);
  });

  test('an unknown database', async () => {
    expect(await check({ database: 'sh"op' })).toEqual([
      {
        code: 'config_invalid',
        message: `Database "sh"op" does not exist on 127.0.0.1:${server.port}.`,
        fix: 'Correct the option `database`, or create it: CREATE DATABASE "sh""op";',
      },
    ]);
  });

  test('a port where nobody listens', async () => {
    const port = await findFreePort();
    expect(await check({ port })).toMatchObject([
      { code: 'source_unreachable', message: `The server 127.0.0.1:${port} refuses connections.` },
    ]);
  });

  test('a host that does not exist', async () => {
    expect(await check({ host: 'no-such-host.invalid' })).toMatchObject([{ code: 'source_unreachable' }]);
  });

  test('a server without TLS, which is wanted unless said otherwise', async () => {
    expect(await check({ tls: { mode: 'verify-full' } })).toMatchObject([
      {
        code: 'tls_failed',
        message: `No verified TLS connection to 127.0.0.1:${server.port}: the server offers no TLS.`,
      },
    ]);
  });
});

test('all missing privileges are told at once, each with the statement to paste', async () => {
  expect(await check({ ...READER, schemas: ['Open', 'closed', 'none'] })).toEqual([
    {
      code: 'permission_denied',
      message: 'User "re"ader" may not use schema "closed".',
      fix: 'GRANT USAGE ON SCHEMA "closed" TO "re""ader";',
    },
    {
      code: 'config_invalid',
      message: 'Schema "none" does not exist in database "shop".',
      fix: 'Correct the option `schemas`.',
    },
    {
      code: 'permission_denied',
      message: 'User "re"ader" may not read table Open."No Grant".',
      fix: 'GRANT SELECT ON TABLE "Open"."No Grant" TO "re""ader";',
      stream: 'Open."No Grant"',
    },
    {
      code: 'permission_denied',
      message: 'User "re"ader" may not read table Open.parted_1.',
      fix: 'GRANT SELECT ON TABLE "Open"."parted_1" TO "re""ader";',
      stream: 'Open.parted',
    },
    {
      code: 'permission_denied',
      message: 'User "re"ader" may not read table Open.summary.',
      fix: 'GRANT SELECT ON TABLE "Open"."summary" TO "re""ader";',
      stream: 'Open.summary',
    },
    {
      code: 'permission_denied',
      message: 'Row-level security would hide rows of table Open.policed from user "re"ader".',
      fix: 'ALTER ROLE "re""ader" BYPASSRLS;',
      stream: 'Open.policed',
    },
  ]);
});

test('without named schemas only what was half granted is a problem', async () => {
  const problems = await check(READER);
  expect(problems.map(({ fix }) => fix)).toEqual([
    'GRANT USAGE ON SCHEMA "closed" TO "re""ader";',
    'GRANT SELECT ON TABLE "Open"."parted_1" TO "re""ader";',
    'ALTER ROLE "re""ader" BYPASSRLS;',
  ]);
});

test('the statements cure the problems', async () => {
  await server.query('CREATE DATABASE cured TEMPLATE shop', [], 'postgres');
  for (const { fix } of await check({ ...READER, database: 'cured' })) await server.query(fix, [], 'cured');
  expect(await check({ ...READER, database: 'cured' })).toEqual([]);
  await server.query('ALTER ROLE "re""ader" NOBYPASSRLS');
});

test('a database without a table is told', async () => {
  expect(await check({ ...READER, database: 'bare' })).toEqual([
    {
      code: 'no_stream_matches',
      message: 'User "re"ader" may read no table of database "bare".',
      fix: 'GRANT USAGE ON SCHEMA "public" TO "re""ader"; GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "re""ader";',
    },
  ]);
});

test('too few free connections are told, of server, user and database', async () => {
  await server.query('ALTER ROLE "re""ader" CONNECTION LIMIT 3; ALTER DATABASE bare CONNECTION LIMIT 2');
  const problems = await check({ ...READER, database: 'bare', parallel: 4 });
  const busy = problems.filter(({ code }) => code === 'source_busy').map(({ message }) => message);
  expect(busy).toEqual([
    'For user "re"ader" 3 connections are free; 6 are needed with `parallel: 4`.',
    'For database "bare" 2 connections are free; 6 are needed with `parallel: 4`.',
  ]);
  await server.query('ALTER ROLE "re""ader" CONNECTION LIMIT -1');
  const [first] = await check({ ...READER, parallel: 40 });
  expect(first?.message).toBe(
    `For the server 127.0.0.1:${server.port} 17 connections are free; 42 are needed with \`parallel: 40\`.`,
  );
});

test('rows that row-level security would hide are an error, never missing in silence', async () => {
  await using database = new PostgresDatabase({ ...configFor(server), ...READER });
  const policed = (await database.discover()).find(({ stream }) => stream === 'Open.policed');
  if (!policed) throw new Error('the table is not discovered');
  const stream = { ...policed, writeMode: 'append' as const, target: { namespace: [], name: 'x' } };
  const plan = await database.planChunks(stream, planRequest(1 << 20));
  await expect(readRows(database, stream, { plan })).rejects.toMatchObject({
    code: 'permission_denied',
    message: 'Row-level security would hide rows of table Open.policed from user "re"ader".',
  });
});

describe('settings that would cut a load are told', () => {
  test('of the role', async () => {
    await server.query(
      `ALTER ROLE "re""ader" SET statement_timeout = '2s'; ALTER ROLE "re""ader" SET transaction_timeout = '5s'`,
    );
    try {
      const problems = await check({ ...READER, schemas: ['Open'] });
      expect(problems.filter(({ code }) => code === 'source_busy')).toEqual([
        {
          code: 'source_busy',
          message:
            'The server ends transactions of user "re"ader" after 5 s (transaction_timeout), which may be less than a chunk takes.',
          fix: `ALTER ROLE "re""ader" SET transaction_timeout = '60s'; or lower \`chunkMB\`.`,
        },
      ]);
    } finally {
      await server.query('ALTER ROLE "re""ader" RESET ALL');
    }
  });

  test('of the database, whose text is of unknown encoding', async () => {
    await server.query(`CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0`, [], 'postgres');
    await server.query('CREATE TABLE t (id int)', [], 'ascii');
    expect(await check({ database: 'ascii' })).toMatchObject([
      { code: 'unsupported', message: expect.stringContaining('Database "ascii" has encoding SQL_ASCII') },
    ]);
  });

  test('of a standby, and of an old server; both are no matter for short transactions', async () => {
    await using primary = await startPostgres({ major: 15, settings: { old_snapshot_threshold: '30min' } });
    await primary.query('CREATE TABLE t (id int)');
    await using standby = await startPostgresStandby(primary, { old_snapshot_threshold: '30min' });
    await using database = new PostgresDatabase(configFor(standby));
    expect((await database.findProblems()).map(({ code, message }) => [code, message])).toEqual([
      [
        'snapshot_lost',
        `The server 127.0.0.1:${standby.port} lets snapshots grow no older than 30 min (old_snapshot_threshold).`,
      ],
      [
        'snapshot_lost',
        `The standby 127.0.0.1:${standby.port} stops a load whose rows the primary has removed, after 30 s (max_standby_streaming_delay).`,
      ],
    ]);
    const chunkwise = { ...configFor(standby), consistency: 'chunk' as const };
    await using short = new PostgresDatabase(chunkwise);
    expect(await short.findProblems()).toEqual([]);
    await standby.query('ALTER SYSTEM SET hot_standby_feedback = on');
    await standby.query('SELECT pg_reload_conf()');
    await expect.poll(async () => (await database.findProblems()).length).toBe(1);
  });
});

test('a pooler is no problem, unless its pool is too small for a snapshot', async () => {
  await using wide = await startPgBouncer(server, { poolMode: 'transaction' });
  expect(await check({ port: wide.port })).toEqual([]);
  const settings = { default_pool_size: '1', max_db_connections: '1' };
  await using narrow = await startPgBouncer(server, { poolMode: 'transaction', settings });
  expect(await check({ port: narrow.port, connectTimeoutSeconds: 1 })).toMatchObject([
    {
      code: 'unsupported',
      message: `Behind 127.0.0.1:${narrow.port} is a pooler such as PgBouncer or Odyssey in transaction mode, through which no connection can read in the snapshot of another.`,
    },
  ]);
});

test('a role that may not ask for the number of the cluster reads all the same', async () => {
  await server.query('CREATE DATABASE managed TEMPLATE shop', [], 'postgres');
  await server.query('REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC', [], 'managed');
  const config = { ...configFor(server), ...READER, database: 'managed' };
  await using database = new PostgresDatabase(config);
  const fine = (await database.discover()).find(({ stream }) => stream === 'Open.fine');
  if (!fine) throw new Error('the table is not discovered');
  const stream = { ...fine, writeMode: 'append' as const, target: { namespace: [], name: 'x' } };
  const plan = await database.planChunks(stream, planRequest(1 << 20));
  expect(plan.identity).not.toBe('');
});
