import { Socket } from 'node:net';
import type { PostgresServer } from '@fjord/test-harness';
import { Client } from 'pg';

/** CommandComplete of a COPY, then ReadyForQuery: the end of the answer. https://www.postgresql.org/docs/18/protocol-message-formats.html */
// oxlint-disable-next-line no-control-regex
const END = /COPY (\d+)\0Z\0\0\0\x05[ITE]$/;
const END_BYTES = 40;

/** Rows a second of COPY (FORMAT binary) over `connections`, each a part of the table's pages, every byte thrown away: what the database itself allows. */
export async function measureFloor(server: PostgresServer, table: string, connections: number): Promise<number> {
  const [{ pages } = { pages: 0 }] = await server.query<{ pages: number }>(
    'SELECT relpages AS pages FROM pg_class WHERE relname = $1',
    [table],
  );
  const bound = (part: number) => `'(${Math.round((pages * part) / connections)},0)'`;
  const readers = await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const end = index + 1 === connections ? '' : ` AND ctid < ${bound(index + 1)}`;
      const sql = `COPY (SELECT * FROM ${table} WHERE ctid >= ${bound(index)}${end}) TO STDOUT (FORMAT binary)`;
      return { sql, socket: await connectedSocket(server) };
    }),
  );
  const start = performance.now();
  const counts = await Promise.all(readers.map(({ socket, sql }) => throwAway(socket, sql)));
  const seconds = (performance.now() - start) / 1000;
  return Math.round(counts.reduce((sum, count) => sum + count, 0) / seconds);
}

/** A socket on which the driver has logged in, and on which it no longer listens. */
async function connectedSocket({ host, port, user, password, database }: PostgresServer): Promise<Socket> {
  const socket = new Socket();
  const client = new Client({ host, port, user, password, database, stream: () => socket });
  client.on('error', () => {});
  await client.connect();
  socket.removeAllListeners('data');
  return socket;
}

/** Runs a COPY by its raw message (Query, 'Q') and looks only for the answer's end; gives the rows that the server counted. */
function throwAway(socket: Socket, sql: string): Promise<number> {
  const message = Buffer.alloc(Buffer.byteLength(sql) + 6);
  message.write('Q');
  message.writeInt32BE(message.length - 1, 1);
  message.write(sql, 5);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - END_BYTES))).slice(-END_BYTES);
    const found = END.exec(tail);
    if (!found) return;
    socket.destroy();
    resolve(Number(found[1]));
  });
  socket.on('close', () => reject(new Error('The server closed the connection in the middle of the floor.')));
  socket.write(message);
  return promise;
}
