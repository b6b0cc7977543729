import { silenceLimitMs } from '@fjord/replication/connection';
import type { Connection } from './connection.ts';

/**
 * Begins a read-only transaction at one moment. A statement may take so many seconds, or as long as it likes. A server that has said nothing for longer than that is given up.
 */
export async function beginTransaction(connection: Connection, maxStatementSeconds: number | undefined): Promise<void> {
  connection.silenceLimitMs = silenceLimitMs(maxStatementSeconds);
  const seconds = maxStatementSeconds ?? 0;
  const limit = connection.facts.isMariaDB
    ? `SET SESSION max_statement_time = ${seconds}`
    : `SET SESSION max_execution_time = ${Math.round(seconds * 1000)}`;
  await connection.query(limit);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}
