import { ConnectorError } from '@fjord/core';
import { type Explanation, explained, SILENT } from '@fjord/replication/connection';

/** Where an error happened: what its message names. Holds no secret. */
export type Target = { host: string; port: number; user: string; stream?: string };

type Explained = Explanation<Target>;

/**
 * Explains an error of mysql2 or of the socket below it as a ConnectorError that names server, user or stream. Text of the server is passed
 * on only where it cannot hold row values. An error nobody foresaw is `internal_error`.
 */
export function toConnectorError(cause: unknown, target: Target): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  return explained(cause, explain(cause, target), target);
}

/** The number of an error that the server sent (MySQL, Server Error Message Reference), if it did. */
export function serverErrorNumber(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !('errno' in cause) || !('sqlState' in cause)) return undefined;
  return typeof cause.errno === 'number' && cause.errno > 0 ? cause.errno : undefined;
}

function explain(cause: unknown, target: Target): Explained {
  const text = cause instanceof Error ? cause.message : String(cause);
  const number = serverErrorNumber(cause);
  const known = number === undefined ? explainDriver(cause, text) : SERVER_ERRORS.get(number)?.(text);
  if (known) return known;
  // Messages of the server about data may quote a value.
  const said = number === undefined ? asClause(text) : `error ${number}`;
  return { code: 'internal_error', message: () => `Reading ${what(target)} from ${server(target)} failed: ${said}.` };
}

const server = ({ host, port }: Target) => (host.startsWith('/') ? host : `${host}:${port}`);
const what = ({ stream }: Target) => (stream === undefined ? 'a table' : `table ${stream}`);
const asClause = (text: string) => text.replace(/[.\s]+$/, '');

const CONNECTION_LOST: Explained = {
  code: 'source_connection_lost',
  message: (target) => `The connection to ${server(target)} was cut.`,
};
const PASSWORD_REFUSED: Explained = {
  code: 'authentication_failed',
  message: (target) =>
    `The server ${server(target)} refused user "${target.user}": the password is wrong, or the account may not log in from here or without TLS.`,
};
const BUSY: Explained = {
  code: 'source_busy',
  message: (target) => `The server ${server(target)} has no connection free for user "${target.user}".`,
};
const STARTING: Explained = {
  code: 'source_unreachable',
  message: (target) => `The server ${server(target)} is starting up or shutting down.`,
};

const denied = (text: string): Explained => ({
  code: 'permission_denied',
  message: (target) => `User "${target.user}" may not read ${what(target)}: ${asClause(text)}.`,
});
const missing = (text: string): Explained => ({
  code: 'source_object_missing',
  message: (target) => `The server ${server(target)} lacks an object of ${what(target)}: ${asClause(text)}.`,
});
const refusedHost = (text: string): Explained => ({
  code: 'authentication_failed',
  message: (target) => `The server ${server(target)} does not let user "${target.user}" in: ${asClause(text)}.`,
});
const waiting = (why: string) => (): Explained => ({
  code: 'source_busy',
  message: (target) => `The server ${server(target)} ${why} while reading ${what(target)}.`,
});
const outdated = (): Explained => ({
  code: 'plan_outdated',
  message: (target) => `The definition of ${what(target)} was altered while it was read.`,
});
const broken = (fault: string) => (): Explained => ({
  code: 'query_failed',
  message: (target) => `Reading ${what(target)} failed: ${fault}.`,
});

/** By the server's number (MySQL, Server Error Message Reference; MariaDB, Error Codes). */
const SERVER_ERRORS = new Map<number, (text: string) => Explained>([
  [1040, () => BUSY],
  [1203, () => BUSY],
  [1226, () => BUSY],
  [1044, denied],
  [1142, denied],
  [1143, denied],
  [1227, denied],
  [1370, denied],
  [1045, () => PASSWORD_REFUSED],
  [1698, () => PASSWORD_REFUSED],
  [3118, refusedHost],
  [3159, refusedHost],
  [1129, refusedHost],
  [1130, refusedHost],
  [1820, refusedHost],
  [1862, refusedHost],
  [1049, missing],
  [1051, missing],
  [1054, missing],
  [1146, missing],
  [1176, missing],
  [1053, () => STARTING],
  [1077, () => STARTING],
  [1079, () => STARTING],
  [1927, () => CONNECTION_LOST],
  [4031, () => CONNECTION_LOST],
  [1158, () => CONNECTION_LOST],
  [1159, () => CONNECTION_LOST],
  [1160, () => CONNECTION_LOST],
  [1161, () => CONNECTION_LOST],
  [1205, waiting('could not lock the table in time')],
  [1213, waiting('was chosen as the victim of a deadlock')],
  [1317, waiting('canceled the statement (somebody asked it to)')],
  [1969, waiting('canceled the statement (max_statement_time)')],
  [3024, waiting('canceled the statement (max_execution_time)')],
  [1412, outdated],
  [1356, broken('a table, column or function of the view is gone, or its definer may not read them')],
  [1449, broken('the definer of the view does not exist')],
  [1242, broken('a subquery gave more than one row')],
  [1690, broken('a value could not be computed')],
]);

/** Codes of Node for a server that cannot be reached. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
const LOST = new Set(['ECONNRESET', 'EPIPE', 'PROTOCOL_CONNECTION_LOST', SILENT]);
const TLS_TEXT = /certificate|self[- ]signed|altnames|SSL|TLS|EPROTO/i;

function explainDriver(cause: unknown, text: string): Explained | undefined {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return { code: 'tls_failed', message: (target) => `The server ${server(target)} offers no TLS.` };
  }
  if (code === SILENT) {
    return {
      code: 'source_connection_lost',
      message: (target) => `The server ${server(target)} is silent: ${asClause(text)}.`,
    };
  }
  if (UNREACHABLE.has(code)) {
    return {
      code: 'source_unreachable',
      message: (target) => `The server ${server(target)} cannot be reached (${code}).`,
    };
  }
  if (code === 'HANDSHAKE_SSL_ERROR' || TLS_TEXT.test(`${code} ${text}`)) {
    return {
      code: 'tls_failed',
      message: (target) => `No verified TLS connection to ${server(target)}: ${asClause(text)}.`,
    };
  }
  if (LOST.has(code) || /closed state|connection.*(closed|lost)/i.test(text)) return CONNECTION_LOST;
  return undefined;
}
