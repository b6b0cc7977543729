import type { Explained, Target } from './driver-errors.ts';

const pooler = ({ host, port }: Target) => `The pooler at ${host}:${port}`;

/** What PgBouncer (its sources of July 2026) says in its own words, all of it under one SQLSTATE (08P01); others took them over. The first that fits counts. */
const SAYINGS: [RegExp, Explained][] = [
  [
    /statement pooling/,
    {
      code: 'unsupported',
      message: (target) => `${pooler(target)} allows no transactions (statement pooling).`,
      help: 'Set pool_mode = session or transaction for this database or user, or connect to the server itself.',
    },
  ],
  [
    /query_wait_timeout/,
    {
      code: 'source_busy',
      message: (target) => `${pooler(target)} had no server connection free in time (query_wait_timeout).`,
      help: 'Raise default_pool_size for this database or user above `parallel` + 2, lower `parallel`, or connect to the server itself.',
    },
  ],
  [
    /max_client_conn|no more connections allowed/,
    {
      code: 'source_busy',
      message: (target) => `${pooler(target)} takes no more clients (max_client_conn).`,
    },
  ],
  [
    /client connections exceeded/,
    {
      code: 'source_busy',
      message: (target) =>
        `${pooler(target)} takes no more clients for database "${target.database}" or user "${target.user}" (max_db_client_connections, max_user_client_connections).`,
      help: 'Raise the limit above `parallel` + 2, lower `parallel`, or connect to the server itself.',
    },
  ],
  [
    /idle transaction timeout|idle_transaction_timeout/,
    {
      code: 'snapshot_lost',
      message: (target) => `${pooler(target)} ended the transaction that held the snapshot (idle_transaction_timeout).`,
      help: 'Set idle_transaction_timeout = 0 for this database or user, or connect to the server itself.',
    },
  ],
  [
    /transaction timeout|transaction_timeout/,
    {
      code: 'source_busy',
      message: (target) => `${pooler(target)} ended a transaction that took too long (transaction_timeout).`,
      help: 'Set transaction_timeout = 0 for this database or user, or connect to the server itself.',
    },
  ],
  [
    /query timeout|query_timeout/,
    {
      code: 'source_busy',
      message: (target) => `${pooler(target)} ended a statement that took too long (query_timeout).`,
      help: 'Set query_timeout = 0 for this database or user, or connect to the server itself.',
    },
  ],
  [
    /unsupported (options )?startup parameter/,
    {
      code: 'unsupported',
      message: (target) => `${pooler(target)} refuses a startup parameter.`,
      help: 'Leave `options` out of the URI, or name it in ignore_startup_parameters.',
    },
  ],
  [
    /SSL required/,
    {
      code: 'tls_failed',
      message: (target) => `${pooler(target)} takes encrypted connections only.`,
      help: 'Set the option `tls.mode` to verify-full, verify-ca or require.',
    },
  ],
  [
    /is disabled$|shutting down$/,
    {
      code: 'source_unreachable',
      message: (target) => `${pooler(target)} is shutting down, or database "${target.database}" is disabled there.`,
      help: 'Run the sync again when the pooler is back; ENABLE the database on its console.',
    },
  ],
  [
    /no such database/,
    {
      code: 'config_invalid',
      message: (target) => `${pooler(target)} knows no database "${target.database}".`,
      help: 'Correct the option `database`, or add it to the section [databases] of the pooler.',
    },
  ],
  [
    /no such user|authentication failed|login rejected/,
    {
      code: 'authentication_failed',
      message: (target) =>
        `${pooler(target)} does not let user "${target.user}" in: it does not know him or the password is another.`,
      help: 'Correct user and password, or add the user to auth_file (or auth_query) of the pooler.',
    },
  ],
  [
    /server login|client_login_timeout|cannot connect to server|server conn crashed|DNS lookup failed/,
    {
      code: 'source_unreachable',
      message: (target) => `${pooler(target)} cannot reach its server.`,
      help: 'See the log of the pooler for the reason.',
    },
  ],
];

/** Explains an error that a pooler made up itself; undefined if the words are not those of one. */
export function explainPooler(text: string): Explained | undefined {
  return SAYINGS.find(([words]) => words.test(text))?.[1];
}
