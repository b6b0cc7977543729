import type { Connection } from './connection.ts';

// A copy of the files (a standby) has the same numbers and is the same database; a restored dump has not.
const DATABASE =
  'SELECT d.oid::text AS oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()';
const SYSTEM = 'SELECT s.system_identifier::text AS id FROM pg_catalog.pg_control_system() AS s';
const MAY_ASK = `SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS "mayAsk"`;

/**
 * Names the database and the cluster that it is part of. Where the role may not ask for the cluster's number (some managed servers revoke
 * it), the database's own must do; the files' numbers beside it still tell most other databases from this one.
 */
export async function identifyServer(connection: Connection): Promise<string> {
  const [database] = await connection.query<{ oid: string }>(DATABASE);
  const [privilege] = await connection.query<{ mayAsk: boolean }>(MAY_ASK);
  const [system] = privilege?.mayAsk ? await connection.query<{ id: string }>(SYSTEM) : [];
  return `${system?.id ?? 'unknown'}/${database?.oid ?? ''}`;
}
