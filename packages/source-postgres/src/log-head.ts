import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { type Lsn, parseLsn } from './position.ts';

/** How often the server is asked whether old transactions have ended. */
const POLL_MS = 100;

/** What a standby has replayed; logical decoding there comes to it for certain. */
const REPLAYED = 'SELECT pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text AS lsn';
const MESSAGE = `SELECT pg_catalog.pg_logical_emit_message(true, 'fjord', '')::pg_catalog.text AS lsn`;

/**
 * The newest place of the log. The small message that is written for it makes the server write out all that was committed before, also by
 * those who do not wait for that (synchronous_commit = off), and gives a place that readers of the log come to even if nothing follows.
 */
export async function newestLsn(connection: Connection): Promise<Lsn> {
  if (!connection.isStandby) await connection.query('BEGIN; SET LOCAL synchronous_commit = local');
  const [row] = await connection.query<{ lsn: string }>(connection.isStandby ? REPLAYED : MESSAGE);
  if (!connection.isStandby) await connection.query('COMMIT');
  if (!row) throw new Error('the server did not say how far its log is');
  return parseLsn(row.lsn);
}

/** Waits until all transactions have ended that are under way now. */
export async function waitForOlder(connection: Connection): Promise<void> {
  const next = await snapshotEnd(connection, 'xmax');
  while ((await snapshotEnd(connection, 'xmin')) < next) await delay(POLL_MS);
}

/** The oldest transaction under way, or the first that has not begun. */
async function snapshotEnd(connection: Connection, end: 'xmin' | 'xmax'): Promise<bigint> {
  const [row] = await connection.query<{ xid: string }>(
    `SELECT pg_catalog.txid_snapshot_${end}(pg_catalog.txid_current_snapshot())::pg_catalog.text AS xid`,
  );
  return BigInt(row?.xid ?? 0);
}
