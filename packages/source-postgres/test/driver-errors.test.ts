import { ConnectorError } from '@fjord/core';
import { expect, test } from 'vitest';
import { sqlState, toConnectorError } from '../src/driver-errors.ts';

const TARGET = { host: 'db.example', port: 5432, database: 'shop', user: 'reader', stream: 'public.orders' };
const ROW_VALUE = 'canary-7f3a';
const server = (code: string, message: string) => Object.assign(new Error(message), { code, severity: 'ERROR' });
const driver = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

test.each<[string, Error, string, string]>([
  [
    'a wrong password',
    server('28P01', 'password authentication failed for user "reader"'),
    'authentication_failed',
    'The server db.example:5432 refused the password of user "reader".',
  ],
  [
    'no pg_hba entry',
    server('28000', 'no pg_hba.conf entry for host "10.0.0.1", user "reader"'),
    'authentication_failed',
    'The server db.example:5432 does not let user "reader" in: no pg_hba.conf entry for host "10.0.0.1", user "reader".',
  ],
  [
    'no password given',
    driver('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string'),
    'authentication_failed',
    'The server db.example:5432 asks for a password of user "reader", and none is given.',
  ],
  [
    'an unknown database',
    server('3D000', 'database "shop" does not exist'),
    'config_invalid',
    'Database "shop" does not exist on db.example:5432.',
  ],
  [
    'a missing privilege',
    server('42501', 'permission denied for table orders'),
    'permission_denied',
    'User "reader" may not read table public.orders: permission denied for table orders.',
  ],
  [
    'row-level security',
    server('42501', 'query would be affected by row-level security policy for table "orders"'),
    'permission_denied',
    'Row-level security would hide rows of table public.orders from user "reader".',
  ],
  [
    'a missing table',
    server('42P01', 'relation "public.orders" does not exist'),
    'source_object_missing',
    'Database "shop" lacks an object of table public.orders: relation "public.orders" does not exist.',
  ],
  [
    'a missing column',
    server('42703', 'column "x" does not exist'),
    'source_object_missing',
    'Database "shop" lacks an object of table public.orders: column "x" does not exist.',
  ],
  [
    'too many connections',
    server('53300', 'sorry, too many clients already'),
    'source_busy',
    'The server db.example:5432 has no connection free for user "reader".',
  ],
  [
    'a full disk',
    server('53100', 'could not write to file: No space left on device'),
    'source_busy',
    'The server db.example:5432 is out of resources: could not write to file: No space left on device.',
  ],
  [
    'a statement timeout',
    server('57014', 'canceling statement due to statement timeout'),
    'source_busy',
    'The server db.example:5432 canceled the statement (statement_timeout, or somebody asked it to) while reading table public.orders.',
  ],
  [
    'a lock timeout',
    server('55P03', 'canceling statement due to lock timeout'),
    'source_busy',
    'The server db.example:5432 could not lock the table in time (lock_timeout) while reading table public.orders.',
  ],
  [
    'an ended backend',
    server('57P01', 'terminating connection due to administrator command'),
    'source_connection_lost',
    'The connection to db.example:5432 was cut.',
  ],
  [
    'a broken connection',
    server('08006', 'connection failure'),
    'source_connection_lost',
    'The connection to db.example:5432 was cut.',
  ],
  [
    'a starting server',
    server('57P03', 'the database system is starting up'),
    'source_unreachable',
    'The server db.example:5432 is starting up, shutting down or recovering.',
  ],
  [
    'a conflict with recovery over rows',
    Object.assign(server('40001', 'canceling statement due to conflict with recovery'), {
      detail: 'User query might have needed to see row versions that must be removed.',
    }),
    'snapshot_lost',
    'The standby db.example:5432 stopped the reading of table public.orders, since replay had to remove rows that were still needed.',
  ],
  [
    'a conflict with recovery over a lock',
    Object.assign(server('40001', 'canceling statement due to conflict with recovery'), {
      detail: 'User was holding a relation lock for too long.',
    }),
    'source_busy',
    'The standby db.example:5432 stopped the reading of table public.orders, since replay waited for a lock too long.',
  ],
  [
    'a pooler without statement transactions',
    server('08P01', 'transaction blocks not allowed in statement pooling mode'),
    'unsupported',
    'The pooler at db.example:5432 allows no transactions (statement pooling).',
  ],
  [
    'a pooler whose pool is used up',
    server('08P01', 'query_wait_timeout'),
    'source_busy',
    'The pooler at db.example:5432 had no server connection free in time (query_wait_timeout).',
  ],
  [
    'a pooler that cuts an idle transaction',
    server('08P01', 'idle transaction timeout'),
    'snapshot_lost',
    'The pooler at db.example:5432 ended the transaction that held the snapshot (idle_transaction_timeout).',
  ],
  [
    'a pooler that cuts a long transaction',
    server('08P01', 'transaction timeout'),
    'source_busy',
    'The pooler at db.example:5432 ended a transaction that took too long (transaction_timeout).',
  ],
  [
    'a pooler with too many clients of a user',
    server('08P01', 'client connections exceeded (max_user_client_connections)'),
    'source_busy',
    'The pooler at db.example:5432 takes no more clients for database "shop" or user "reader" (max_db_client_connections, max_user_client_connections).',
  ],
  [
    'a pooler that wants TLS',
    server('08P01', 'SSL required'),
    'tls_failed',
    'The pooler at db.example:5432 takes encrypted connections only.',
  ],
  [
    'a pooler that is paused for good',
    server('08P01', 'database "shop" is disabled'),
    'source_unreachable',
    'The pooler at db.example:5432 is shutting down, or database "shop" is disabled there.',
  ],
  [
    'a protocol error of anybody else',
    server('08P01', 'invalid frontend message type 90'),
    'source_connection_lost',
    'The connection to db.example:5432 was cut.',
  ],
  [
    'a client key that cannot be used',
    driver('bad decrypt', 'ERR_OSSL_BAD_DECRYPT'),
    'config_invalid',
    'The files of option tls cannot be used to connect to db.example:5432.',
  ],
  [
    'a snapshot that cannot be imported',
    server('55000', 'could not import the requested snapshot'),
    'snapshot_lost',
    'The snapshot in which db.example:5432 was read is gone.',
  ],
  [
    'a snapshot id that is not known',
    server('22023', 'invalid snapshot identifier: "1"'),
    'snapshot_lost',
    'The snapshot in which db.example:5432 was read is gone.',
  ],
  [
    'a snapshot that does not exist',
    server('42704', 'snapshot "00000003-0000001B-1" does not exist'),
    'snapshot_lost',
    'The snapshot in which db.example:5432 was read is gone.',
  ],
  [
    'an idle transaction ended',
    server('25P03', 'terminating connection due to idle-in-transaction timeout'),
    'snapshot_lost',
    'The snapshot in which db.example:5432 was read is gone.',
  ],
  [
    'what a server cannot do',
    server('0A000', 'cannot access temporary or unlogged relations during recovery'),
    'unsupported',
    'The server db.example:5432 cannot do what is needed: cannot access temporary or unlogged relations during recovery.',
  ],
  [
    'a refused connection',
    driver('connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED'),
    'source_unreachable',
    'The server db.example:5432 refuses connections.',
  ],
  [
    'an unknown name',
    driver('getaddrinfo ENOTFOUND db.example', 'ENOTFOUND'),
    'source_unreachable',
    'The server db.example:5432 has a name that cannot be resolved.',
  ],
  ['a connect timeout', driver('timeout expired'), 'source_unreachable', 'The server db.example:5432 does not answer.'],
  [
    'a socket timeout',
    driver('connect ETIMEDOUT', 'ETIMEDOUT'),
    'source_unreachable',
    'The server db.example:5432 does not answer.',
  ],
  [
    'a reset',
    driver('read ECONNRESET', 'ECONNRESET'),
    'source_connection_lost',
    'The connection to db.example:5432 was cut.',
  ],
  [
    'an end without a word',
    driver('Connection terminated unexpectedly'),
    'source_connection_lost',
    'The connection to db.example:5432 was cut.',
  ],
  [
    'a server without TLS',
    driver('The server does not support SSL connections'),
    'tls_failed',
    'No verified TLS connection to db.example:5432: the server offers no TLS.',
  ],
  [
    'a self-signed certificate',
    driver('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'),
    'tls_failed',
    'No verified TLS connection to db.example:5432: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT).',
  ],
  [
    'a certificate of another host',
    driver("Hostname/IP does not match certificate's altnames", 'ERR_TLS_CERT_ALTNAME_INVALID'),
    'tls_failed',
    "No verified TLS connection to db.example:5432: Hostname/IP does not match certificate's altnames (ERR_TLS_CERT_ALTNAME_INVALID).",
  ],
  [
    'a view that cannot compute a value',
    server('22P02', `invalid input syntax for type integer: "${ROW_VALUE}"`),
    'query_failed',
    'Reading table public.orders failed: a value could not be computed (SQLSTATE 22P02).',
  ],
  [
    'a foreign server that fails',
    server('HV00N', 'could not connect to server "elsewhere"'),
    'query_failed',
    'Reading table public.orders failed: its foreign server failed (SQLSTATE HV00N).',
  ],
  [
    'what nobody has foreseen',
    server('XX000', `cache lookup failed for ${ROW_VALUE}`),
    'internal_error',
    'Reading table public.orders from db.example:5432 failed: SQLSTATE XX000.',
  ],
])('%s', (_, cause, code, message) => {
  const error = toConnectorError(cause, TARGET);
  expect(error).toBeInstanceOf(ConnectorError);
  expect({ code: error.code, message: error.message }).toEqual({ code, message });
  expect(error.cause).toBe(cause);
  expect(error.stream).toBe('public.orders');
  expect(error.message).not.toContain(ROW_VALUE);
});

test('a ConnectorError is passed on', () => {
  const error = new ConnectorError('plan_outdated', 'Table x was rewritten.');
  expect(toConnectorError(error, TARGET)).toBe(error);
});

test('a Unix socket is named by its path', () => {
  const error = toConnectorError(driver('connect ENOENT', 'ENOENT'), { ...TARGET, host: '/run/postgresql' });
  expect(error.message).toBe('The server /run/postgresql/.s.PGSQL.5432 does not exist.');
});

test('only errors of the server have an SQLSTATE', () => {
  expect(sqlState(server('28P01', ''))).toBe('28P01');
  expect(sqlState(driver('', 'ECONNRESET'))).toBeUndefined();
});
