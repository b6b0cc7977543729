import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { formatLsn, type Lsn, parseLsn } from './position.ts';

/** Between two looks; what was committed is seen within milliseconds, but where commits wait for a standby. */
const POLL_MS = 5;
const MAX_POLL_MS = 200;

const TWO_32 = 4_294_967_296;

/** Transactions of the log: their numbers, as far as 32 bits tell them, and where the last of their commits ended. */
export type LoggedTransactions = { end: Lsn; xids: number[] };

/** Puts transactions into the word that the log's `commit` has for them. */
export function formatTransactions({ end, xids }: LoggedTransactions): string {
  return `${formatLsn(end)}:${xids.join(',')}`;
}

/** Reads such words back, all together; undefined if there are none. */
export function parseTransactions(words: readonly string[]): LoggedTransactions | undefined {
  if (words.length === 0) return undefined;
  let end = 0n;
  const xids: number[] = [];
  for (const word of words) {
    const [lsn = '0/0', list = ''] = word.split(':');
    const parsed = parseLsn(lsn);
    if (parsed > end) end = parsed;
    for (const xid of list.split(',')) xids.push(Number(xid));
  }
  return { end, xids };
}

/** What a snapshot sees: all before `xmin`, nothing from `xmax` on, and what lies between unless it was still `running`. */
export type Snapshot = { xmin: bigint; xmax: bigint; running: Set<bigint> };

/** Reads a snapshot as PostgreSQL prints it: `xmin:xmax:running,…` (manual, 9.28.3 Transaction ID and Snapshot Information Functions). */
export function parseSnapshot(text: string): Snapshot {
  const [xmin = '0', xmax = '0', list = ''] = text.split(':');
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), running: new Set(list === '' ? [] : list.split(',').map(BigInt)) };
}

/** Whether a snapshot sees a transaction that has ended; of its number only 32 bits are known, so the nearest one is meant. */
export function sees({ xmin, xmax, running }: Snapshot, xid: number): boolean {
  const distance = (xid - Number(xmax % BigInt(TWO_32)) + TWO_32) % TWO_32;
  const full = xmax + BigInt(distance < TWO_32 / 2 ? distance : distance - TWO_32);
  return full < xmin || (full < xmax && !running.has(full));
}

/** Begins transactions, by `begin`, until one's snapshot sees all of these: the log may tell of a transaction before others see it. */
export async function beginSeeing(
  connection: Connection,
  wanted: LoggedTransactions,
  { begin, signal }: { begin: () => Promise<void>; signal: AbortSignal },
): Promise<void> {
  for (let waitMs = POLL_MS; ; waitMs = Math.min(2 * waitMs, MAX_POLL_MS)) {
    // Before the snapshot is taken: what is replayed by then is in it.
    const isReplayed = !connection.isStandby || (await hasReplayed(connection, wanted.end));
    if (isReplayed) {
      await begin();
      if (connection.isStandby || (await seesAll(connection, wanted))) return;
      await connection.query('ROLLBACK');
    }
    await delay(waitMs, undefined, { signal });
  }
}

async function hasReplayed(connection: Connection, end: Lsn): Promise<boolean> {
  const [row] = await connection.query<{ isThere: boolean }>(
    'SELECT pg_catalog.pg_last_wal_replay_lsn() >= $1::pg_catalog.pg_lsn AS "isThere"',
    [formatLsn(end)],
  );
  return row?.isThere ?? false;
}

/** The first statement of a transaction: it takes the snapshot. */
async function seesAll(connection: Connection, { xids }: LoggedTransactions): Promise<boolean> {
  const [row] = await connection.query<{ snapshot: string }>(
    'SELECT pg_catalog.txid_current_snapshot()::pg_catalog.text AS snapshot',
  );
  const snapshot = parseSnapshot(row?.snapshot ?? '');
  return xids.every((xid) => sees(snapshot, xid));
}
