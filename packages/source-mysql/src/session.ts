/** Longest times that the server takes (MySQL manual, wait_timeout). */
const A_YEAR_SECONDS = 31_536_000;

/**
 * What a value looks like must not depend on the account or the server: TIMESTAMP comes in UTC, CHAR without padding, all text in UTF-8. A
 * destination that is slow for a while must not end the connection. Limits that somebody set for people would cut a load.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  time_zone: "'+00:00'",
  sql_mode: "''",
  character_set_results: 'utf8mb4',
  sql_select_limit: 'DEFAULT',
  sql_big_selects: '1',
  net_write_timeout: String(A_YEAR_SECONDS),
  net_read_timeout: String(A_YEAR_SECONDS),
  wait_timeout: String(A_YEAR_SECONDS),
};

/** The statement that pins a fresh session's settings, as one. */
export function settingsStatement(server: Pick<ServerFacts, 'isMariaDB'>): string {
  // Statistics of a table that has grown must not be those of yesterday.
  const own: Record<string, string> = server.isMariaDB ? {} : { information_schema_stats_expiry: '0' };
  const all = Object.entries({ ...SETTINGS, ...own });
  return `SET ${all.map(([name, value]) => `SESSION ${name} = ${value}`).join(', ')}`;
}

/** What a server says of itself. `account` is what grants are given to. */
export type ServerFacts = { version: string; isMariaDB: boolean; account: string };

export const FACTS = 'SELECT VERSION() AS version, CURRENT_USER() AS account';

/** Reads the answer to FACTS. */
export function readFacts({ version, account }: { version: string; account: string }): ServerFacts {
  return { version, account, isMariaDB: /mariadb/i.test(version) };
}
