import type { Problem, SelectedStream, Stream } from '@fjord/core';
import type {
  ChunkPlan,
  Database,
  EncodedBatch,
  HeldSnapshot,
  ReadChunkRequest,
  ReplicationOptions,
} from '@fjord/replication';
import { type ColumnMemory, planChunks, readChunk } from './chunks.ts';
import type { Config } from './config.ts';
import { connect, type Connection, targetOf } from './connection.ts';
import { discover } from './discover.ts';
import { toConnectorError } from './driver-errors.ts';
import { holdSnapshot } from './held-snapshot.ts';
import { findProblems } from './prerequisites.ts';

// A copy of the files (a standby) has the same numbers and is the same database; a restored dump has not.
const SERVER_IDENTITY = `
  SELECT s.system_identifier || '/' || d.oid AS identity
  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
  WHERE d.datname = pg_catalog.current_database()`;

/** A PostgreSQL database, connected when first asked for something. After a fault the next call connects anew. */
export class PostgresDatabase implements Database {
  readonly #config: Config & Pick<ReplicationOptions, 'parallel'>;
  readonly #memory: ColumnMemory = new Map();
  #connection: Connection | undefined;
  #identity: string | undefined;

  constructor(config: Config & Pick<ReplicationOptions, 'parallel'>) {
    this.#config = config;
  }

  async findProblems(): Promise<Problem[]> {
    return findProblems(this.#config);
  }

  async discover(): Promise<Stream[]> {
    return this.#use((connection) => discover(connection, this.#config));
  }

  async holdSnapshot(): Promise<HeldSnapshot> {
    const connection = await connect(this.#config);
    try {
      return await holdSnapshot(connection);
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  async planChunks(
    stream: SelectedStream,
    request: { chunkBytes: number; snapshot: string | undefined },
  ): Promise<ChunkPlan> {
    return this.#use(async (connection) => {
      const serverIdentity = await this.#identify(connection);
      return planChunks(connection, stream, { ...request, serverIdentity });
    });
  }

  async *readChunk(request: ReadChunkRequest): AsyncGenerator<EncodedBatch> {
    const connection = await this.#open();
    let isComplete = false;
    try {
      const serverIdentity = await this.#identify(connection);
      const { unrepresentable } = this.#config;
      yield* readChunk(connection, request, { unrepresentable, serverIdentity, memory: this.#memory });
      isComplete = true;
    } finally {
      if (!isComplete) await this.#drop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  async #use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await this.#open();
    try {
      return await work(connection);
    } catch (cause) {
      await this.#drop();
      throw toConnectorError(cause, targetOf(this.#config));
    }
  }

  async #open(): Promise<Connection> {
    if (!this.#connection?.isOpen) this.#connection = await connect(this.#config);
    return this.#connection;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#memory.clear();
    await connection?.[Symbol.asyncDispose]();
  }

  async #identify(connection: Connection): Promise<string> {
    const [row] = this.#identity === undefined ? await connection.query<{ identity: string }>(SERVER_IDENTITY) : [];
    this.#identity ??= row?.identity ?? '';
    return this.#identity;
  }
}
