import type { Connection, Row } from './connection.ts';

/** Names the server: MySQL's own uuid; MariaDB has none, there the machine, the port and the number must do. */
export async function identifyServer(connection: Connection): Promise<string> {
  const expression = connection.facts.isMariaDB ? "CONCAT(@@hostname, ':', @@port, '/', @@server_id)" : '@@server_uuid';
  const [row] = await connection.query<Row & { id: string }>(`SELECT ${expression} AS id`);
  return row?.id ?? 'unknown';
}
