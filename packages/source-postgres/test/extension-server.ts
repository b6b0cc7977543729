import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { postgis } from '@electric-sql/pglite-postgis';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ServerAddress } from './postgres-fixture.ts';

/** A PostgreSQL compiled to WebAssembly, for it alone is packaged with PostGIS and pgvector; it takes one connection at a time. */
export class ExtensionServer implements AsyncDisposable {
  readonly db: PGlite;
  readonly #server: Server;

  private constructor(db: PGlite, server: Server) {
    this.db = db;
    this.#server = server;
  }

  static async start(): Promise<ExtensionServer> {
    const db = await PGlite.create({ extensions: { vector, postgis } });
    await db.exec('CREATE SCHEMA tools; CREATE EXTENSION vector SCHEMA tools; CREATE EXTENSION postgis SCHEMA tools');
    const server = createServer((socket) => answer(db, socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ExtensionServer(db, server);
  }

  get address(): ServerAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port, user: 'postgres', password: '', database: 'template1' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    await this.db.close();
  }
}

/** Hands what a client sends to the server, which speaks the protocol itself, one piece after the other. */
function answer(db: PGlite, socket: Socket): void {
  let turn: Promise<unknown> = Promise.resolve();
  socket.on('data', (piece) => {
    turn = turn.then(async () => {
      const replies = await db.execProtocolRaw(new Uint8Array(piece as Buffer));
      if (!socket.destroyed) socket.write(replies);
    });
  });
}
