import type { HeldSnapshot } from '@fjord/replication';
import type { Connection } from './connection.ts';
import type { Endpoint } from './connection-uri.ts';

/**
 * The server ends sessions that sit idle in a transaction; holding a snapshot is just that. Which of these settings exist depends on its
 * version. For the transaction only: behind a pooler the session is another's afterwards.
 */
const NO_TIMEOUTS = `
  SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`;

/** A snapshot by its name on the server that holds it; a name of the server may stand for several, so the one that was reached is part of it. */
export type SnapshotToken = { snapshot: string; endpoint: Endpoint };

/** Exports a snapshot on a connection of its own and keeps it until disposed (manual, 9.28.5 Snapshot Synchronization Functions). */
export async function holdSnapshot(connection: Connection): Promise<HeldSnapshot> {
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await connection.query(NO_TIMEOUTS);
  const [row] = await connection.query<{ snapshot: string }>('SELECT pg_catalog.pg_export_snapshot() AS snapshot');
  if (!row) throw new Error('pg_export_snapshot() gave no row');
  return keepSnapshot(connection, row.snapshot);
}

/** A snapshot that was exported on a connection, and lasts as long as that does nothing else. */
export function keepSnapshot(connection: Connection, snapshot: string): HeldSnapshot {
  let isDisposed = false;
  const lost = Promise.withResolvers<Error>();
  void connection.closed.then((error) => {
    if (!isDisposed) lost.resolve(error);
  });
  return {
    token: JSON.stringify({ snapshot, endpoint: connection.endpoint } satisfies SnapshotToken),
    lost: lost.promise,
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** What a held snapshot's token says, as `holdSnapshot` wrote it. */
export function parseSnapshotToken(token: string): SnapshotToken {
  return JSON.parse(token) as SnapshotToken;
}
