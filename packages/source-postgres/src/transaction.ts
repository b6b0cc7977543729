import type { Connection } from './connection.ts';
import { quoteLiteral } from './quoting.ts';
import { silenceLimitMs } from '@fjord/replication/connection';

type TransactionOptions = { snapshot: string | undefined; maxStatementSeconds: number | undefined };

/**
 * Begins a read-only transaction at one moment: its own, or that of a held snapshot. The limit on statements holds within it only; without
 * one any that the role or the database may have is lifted. A server that has said nothing for longer than that is given up.
 */
export async function beginTransaction(
  connection: Connection,
  { snapshot, maxStatementSeconds }: TransactionOptions,
): Promise<void> {
  const silence = silenceLimitMs(maxStatementSeconds);
  // A pooler may let a transaction wait for a session of the server, for as long as it likes.
  connection.silenceLimitMs = connection.isPooled ? undefined : silence;
  const join = snapshot === undefined ? '' : `; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`;
  const limit = `SET LOCAL statement_timeout = ${Math.round((maxStatementSeconds ?? 0) * 1000)}`;
  await connection.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${join}; ${limit}`);
  connection.silenceLimitMs = silence;
}
