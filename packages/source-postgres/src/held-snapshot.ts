import type { HeldSnapshot } from '@fjord/replication';
import type { Connection } from './connection.ts';

/** The server ends sessions that sit idle in a transaction; holding a snapshot is just that. Which of these settings exist depends on its version. */
const NO_TIMEOUTS = `
  SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`;

/** Exports a snapshot on a connection of its own and keeps it until disposed (manual, 9.28.5 Snapshot Synchronization Functions). */
export async function holdSnapshot(connection: Connection): Promise<HeldSnapshot> {
  await connection.query(NO_TIMEOUTS);
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [row] = await connection.query<{ token: string }>('SELECT pg_catalog.pg_export_snapshot() AS token');
  if (!row) throw new Error('pg_export_snapshot() gave no row');
  let isDisposed = false;
  const lost = Promise.withResolvers<Error>();
  void connection.closed.then((error) => {
    if (!isDisposed) lost.resolve(error);
  });
  return {
    token: row.token,
    lost: lost.promise,
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      await connection[Symbol.asyncDispose]();
    },
  };
}
