import { quoteLiteral } from './quoting.ts';

/**
 * What a value's text looks like must not depend on the role, the database or the server. An empty search_path makes every name
 * the server prints a qualified one; with row_security off a policy that would hide rows is an error. JIT pays for long
 * computations, not for copying columns.
 */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  search_path: '',
  row_security: 'off',
  jit: 'off',
  default_transaction_read_only: 'on',
};

/** The statements that pin settings, for the session or (`LOCAL`) for the current transaction. */
export function setStatements(settings: Readonly<Record<string, string>>, scope: 'SESSION' | 'LOCAL'): string {
  const statements = Object.entries(settings).map(([name, value]) => `SET ${scope} ${name} = ${quoteLiteral(value)}`);
  return statements.join('; ');
}

/** What a fresh session says of itself; `pid` is the process that answered. */
export type SessionFacts = { pid: number; isStandby: boolean; isReadOnly: boolean };

export const SESSION_FACTS = `
  SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_is_in_recovery() AS "isStandby",
         pg_catalog.current_setting('transaction_read_only') = 'on' AS "isReadOnly"`;

/**
 * A statement as it must be sent where the server's session is only lent for a transaction: what begins one pins the settings in it, what
 * stands alone gets one of its own (`wraps`). Settings of the session itself would reach others who share it.
 */
export function withLocalSettings(
  sql: string,
  settings: Readonly<Record<string, string>>,
): { sql: string; wraps: boolean } {
  const local = setStatements(settings, 'LOCAL');
  if (!BEGINS.test(sql)) return { sql: `BEGIN READ ONLY; ${local}`, wraps: true };
  return { sql: sql.replace(BEGINS, `$1; ${local.replaceAll('$', '$$$$')}`), wraps: false };
}

const BEGINS = /^(\s*(?:BEGIN|START\s+TRANSACTION)\b[^;]*)/i;
