import type { Socket } from 'node:net';
import type { PostgresServer } from '@fjord/test-harness';
import type { Client } from 'pg';

/** Rows a second of COPY (FORMAT binary) over `connections`, each a part of the table's pages, every byte thrown away: what the database itself allows. */
export async function measureFloor(
  server: PostgresServer,
  table: string,
  { rows, connections }: { rows: number; connections: number },
) {
  const [{ pages } = { pages: 0 }] = await server.query<{ pages: number }>(
    'SELECT relpages AS pages FROM pg_class WHERE relname = $1',
    [table],
  );
  const clients = await Promise.all(Array.from({ length: connections }, () => server.client()));
  const start = performance.now();
  await Promise.all(
    clients.map((client, index) => {
      const bound = (part: number) => Math.round((pages * part) / connections);
      const end = index + 1 === connections ? '' : ` AND ctid < '(${bound(index + 1)},0)'`;
      return throwAway(
        client,
        `COPY (SELECT * FROM ${table} WHERE ctid >= '(${bound(index)},0)'${end}) TO STDOUT (FORMAT binary)`,
      );
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  return Math.round(rows / seconds);
}

/** Sends the statement itself and reads the socket until ReadyForQuery, so that the driver makes no object of each row. */
async function throwAway(client: Client, sql: string): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const listeners = stream.listeners('data');
  stream.removeAllListeners('data');
  const text = Buffer.from(sql);
  const message = Buffer.alloc(text.length + 6);
  message.write('Q');
  message.writeInt32BE(text.length + 5, 1);
  text.copy(message, 5);
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      // 'Z', length 5, idle: the last six bytes of the answer.
      if (chunk.length >= 6 && chunk.readUInt32BE(chunk.length - 5) === 5 && chunk[chunk.length - 6] === 0x5a)
        resolve();
    });
    stream.on('error', reject);
    stream.write(message);
  });
  stream.removeAllListeners('data');
  for (const listener of listeners) stream.on('data', listener as (chunk: Buffer) => void);
}
