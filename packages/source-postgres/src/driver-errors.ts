import { ConnectorError } from '@fjord/core';
import { explainPooler } from './pooler-errors.ts';
import { type Explanation, explained, SILENT } from '@fjord/replication/connection';

/** Where an error happened: what its message names. Holds no secret. */
export type Target = { host: string; port: number; database: string; user: string; stream?: string };

export type Explained = Explanation<Target>;

/**
 * Explains an error of pg or of the socket below it as a ConnectorError that names server, database, user or stream. Text of the
 * server is passed on only where it cannot hold row values. An error nobody foresaw is `internal_error`.
 */
export function toConnectorError(cause: unknown, target: Target): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  return explained(cause, explain(cause, target), target);
}

/** The SQLSTATE of an error that the server sent (manual, Appendix A), if it did. */
export function sqlState(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('severity' in cause) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

function explain(cause: unknown, target: Target): Explained {
  const text = cause instanceof Error ? cause.message : String(cause);
  const state = sqlState(cause);
  const known =
    state === undefined ? explainDriver(cause, text) : explainServer(state, { text, detail: detailOf(cause) });
  return known ?? unforeseen(state, text, target);
}

const server = ({ host, port }: Target) => (host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`);
const what = ({ stream }: Target) => (stream === undefined ? 'a table' : `table ${stream}`);

const SNAPSHOT_LOST: Explained = {
  code: 'snapshot_lost',
  message: (target) => `The snapshot in which ${server(target)} was read is gone.`,
};
const CONNECTION_LOST: Explained = {
  code: 'source_connection_lost',
  message: (target) => `The connection to ${server(target)} was cut.`,
};
const BUSY: Explained = {
  code: 'source_busy',
  message: (target) => `The server ${server(target)} has no connection free for user "${target.user}".`,
};
const PASSWORD_REFUSED: Explained = {
  code: 'authentication_failed',
  message: (target) => `The server ${server(target)} refused the password of user "${target.user}".`,
};
const PASSWORD_MISSING: Explained = {
  code: 'authentication_failed',
  message: (target) => `The server ${server(target)} asks for a password of user "${target.user}", and none is given.`,
  help: 'Set the option `password`.',
};
const RLS = /row-level security/;
const SNAPSHOT_TEXT = /snapshot/;

/** By SQLSTATE, or by its class (the first two characters). The first entry whose `text`, if any, is in the server's message counts. */
const SERVER_ERRORS: Record<string, ((text: string, detail: string) => Explained | undefined) | undefined> = {
  '28P01': () => PASSWORD_REFUSED,
  '28000': (text) => ({
    code: 'authentication_failed',
    message: (target) => `The server ${server(target)} does not let user "${target.user}" in: ${asClause(text)}.`,
  }),
  '3D000': () => ({
    code: 'config_invalid',
    message: (target) => `Database "${target.database}" does not exist on ${server(target)}.`,
    help: 'Correct the option `database`.',
  }),
  '42501': (text) => ({
    code: 'permission_denied',
    message: (target) =>
      RLS.test(text)
        ? `Row-level security would hide rows of ${what(target)} from user "${target.user}".`
        : `User "${target.user}" may not read ${what(target)}: ${asClause(text)}.`,
  }),
  '42P01': (text) => objectMissing(text),
  '42703': (text) => objectMissing(text),
  '3F000': (text) => objectMissing(text),
  '22023': (text) => (SNAPSHOT_TEXT.test(text) ? SNAPSHOT_LOST : undefined),
  '42704': (text) => (SNAPSHOT_TEXT.test(text) ? SNAPSHOT_LOST : publicationLost(text)),
  '55000': (text) => (SNAPSHOT_TEXT.test(text) ? SNAPSHOT_LOST : undefined),
  '58P01': (text) => (SNAPSHOT_TEXT.test(text) ? SNAPSHOT_LOST : undefined),
  '72000': () => SNAPSHOT_LOST,
  '40001': (text, detail) => (/conflict with recovery/.test(text) ? recoveryConflict(detail) : SNAPSHOT_LOST),
  '25P03': () => SNAPSHOT_LOST,
  '25P04': () => SNAPSHOT_LOST,
  '40P01': () => waiting('was chosen as the victim of a deadlock'),
  '55P03': () => waiting('could not lock the table in time (lock_timeout)'),
  '57014': () => waiting('canceled the statement (statement_timeout, or somebody asked it to)'),
  '57P03': () => ({
    code: 'source_unreachable',
    message: (target) => `The server ${server(target)} is starting up, shutting down or recovering.`,
  }),
  '57P05': () => CONNECTION_LOST,
  '57': () => CONNECTION_LOST,
  '08': () => CONNECTION_LOST,
  '08P01': (text) => explainPooler(text) ?? CONNECTION_LOST,
  '53': (text) => ({
    code: 'source_busy',
    message: (target) => `The server ${server(target)} is out of resources: ${asClause(text)}.`,
  }),
  '53300': () => BUSY,
  '0A': (text) => ({
    code: 'unsupported',
    message: (target) => `The server ${server(target)} cannot do what is needed: ${asClause(text)}.`,
  }),
};

/** What a view, a function in it or a foreign server may run into, by class of SQLSTATE (manual, Appendix A). */
const QUERY_FAULTS: Record<string, string | undefined> = {
  '21': 'a subquery gave more than one row',
  '22': 'a value could not be computed',
  '2F': 'a function failed',
  '38': 'a function failed',
  '39': 'a function failed',
  '58': 'a file could not be read',
  HV: 'its foreign server failed',
  P0: 'a function failed',
};

function explainServer(state: string, { text, detail }: { text: string; detail: string }): Explained | undefined {
  const known = (SERVER_ERRORS[state] ?? SERVER_ERRORS[state.slice(0, 2)])?.(text, detail);
  const fault = QUERY_FAULTS[state.slice(0, 2)];
  if (known || fault === undefined) return known;
  // The server's own text may quote a value.
  return { code: 'query_failed', message: (target) => `Reading ${what(target)} failed: ${fault} (SQLSTATE ${state}).` };
}

/** Rows of the snapshot are gone for all who share it; a lock, or a page in use, is in the way of one reader only (manual, 26.4.2). */
function recoveryConflict(detail: string): Explained {
  const isRetryable = /lock|buffer pin|deadlock|tablespace/.test(detail);
  return {
    code: isRetryable ? 'source_busy' : 'snapshot_lost',
    message: (target) =>
      `The standby ${server(target)} stopped the reading of ${what(target)}, since replay ${isRetryable ? 'waited for a lock too long' : 'had to remove rows that were still needed'}.`,
    help: 'On the standby set hot_standby_feedback = on (it keeps the rows) and max_standby_streaming_delay to more than a load takes, then run the sync again.',
  };
}

/** Before version 18 the server cannot go on; from then on it goes on without those changes. */
function publicationLost(text: string): Explained | undefined {
  if (!text.startsWith('publication "')) return undefined;
  return {
    code: 'position_lost',
    message: (target) => `The change log of ${server(target)} cannot be followed on: ${asClause(text)}.`,
    help: 'Run the sync again: it makes the publication anew and names the command that copies the streams anew.',
  };
}

function objectMissing(text: string): Explained {
  return {
    code: 'source_object_missing',
    message: (target) => `Database "${target.database}" lacks an object of ${what(target)}: ${asClause(text)}.`,
  };
}

function waiting(why: string): Explained {
  return {
    code: 'source_busy',
    message: (target) => `The server ${server(target)} ${why} while reading ${what(target)}.`,
  };
}

const UNREACHABLE: Record<string, string> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'has a name that cannot be resolved',
  EAI_AGAIN: 'has a name that cannot be resolved now',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'does not answer',
  ENOENT: 'does not exist',
  EACCES: 'may not be opened',
};
const CUT = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const CUT_TEXT = /Connection terminated|not queryable|Client was closed/;
const TIMEOUT_TEXT = /timeout expired|connection timeout/;
// Codes of certificate checks come from OpenSSL and have no common prefix (Node manual, TLS, X509 certificate error codes).
const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/;
// Of the client's own key: a wrong passphrase, not PEM, not the certificate's.
const KEY_CODE = /^ERR_OSSL_|^ERR_CRYPTO_/;
const KEY_UNUSABLE: Explained = {
  code: 'config_invalid',
  message: (target) => `The files of option tls cannot be used to connect to ${server(target)}.`,
  help: 'Check that caFile, certFile and keyFile are PEM, that the key is that of the certificate, and its keyPassphrase.',
};
const TLS_TEXT = /support SSL connections|establishing an SSL connection/;

function explainDriver(cause: unknown, text: string): Explained | undefined {
  const code = codeOf(cause);
  if (code === SILENT) return silent(text);
  if (TIMEOUT_TEXT.test(text)) return unreachable('does not answer');
  const reason = UNREACHABLE[code];
  if (reason !== undefined) return unreachable(reason);
  if (CUT.has(code) || CUT_TEXT.test(text)) return CONNECTION_LOST;
  if (TLS_CODE.test(code) || TLS_TEXT.test(text)) return tlsFailed(code, text);
  if (KEY_CODE.test(code)) return KEY_UNUSABLE;
  if (/client password must be/.test(text)) return PASSWORD_MISSING;
  if (text.startsWith('SASL:'))
    return { ...PASSWORD_REFUSED, help: 'The server proved nothing: check that it is yours.' };
  return undefined;
}

function silent(text: string): Explained {
  return {
    code: 'source_connection_lost',
    message: (target) => `The connection to ${server(target)} was given up: ${asClause(text)}.`,
    help: 'Look for a proxy, firewall or pooler in between that keeps connections open and passes nothing on; run the sync again.',
  };
}

function unreachable(reason: string): Explained {
  return { code: 'source_unreachable', message: (target) => `The server ${server(target)} ${reason}.` };
}

function tlsFailed(code: string, text: string): Explained {
  const reason = TLS_TEXT.test(text) ? 'the server offers no TLS' : asClause(text);
  return {
    code: 'tls_failed',
    message: (target) =>
      `No verified TLS connection to ${server(target)}: ${reason}${code === '' ? '' : ` (${code})`}.`,
  };
}

function unforeseen(state: string | undefined, text: string, target: Target): Explained {
  // Messages of the server about data (class 22, 23) or from extensions may quote a value.
  const said = state === undefined ? asClause(text) : `SQLSTATE ${state}`;
  return { code: 'internal_error', message: () => `Reading ${what(target)} from ${server(target)} failed: ${said}.` };
}

/** What the server added to its message; only the fixed texts of recovery conflicts are looked at. */
function detailOf(cause: unknown): string {
  return cause instanceof Error && 'detail' in cause && typeof cause.detail === 'string' ? cause.detail : '';
}

/** A node AggregateError (several addresses tried) carries its code like a plain error. */
function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

const asClause = (text: string) => text.replace(/[.\s]+$/, '');
