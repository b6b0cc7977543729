import { isDeepStrictEqual } from 'node:util';
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
import { connect, type Connection } from './connection.ts';
import type { Endpoint } from './connection-uri.ts';
import { discover } from './discover.ts';
import { holdSnapshot, parseSnapshotToken } from './held-snapshot.ts';
import { findProblems } from './prerequisites.ts';
import { identifyServer } from './server-identity.ts';

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
    const { snapshot, endpoint } = located(request.snapshot);
    return this.#use(async (connection) => {
      const serverIdentity = await this.#identify(connection);
      return planChunks(connection, stream, { ...request, snapshot, serverIdentity, types: this.#config });
    }, endpoint);
  }

  async *readChunk(request: ReadChunkRequest): AsyncGenerator<EncodedBatch> {
    const { snapshot, endpoint } = located(request.snapshot);
    const connection = await this.#open(endpoint);
    let isComplete = false;
    try {
      const serverIdentity = await this.#identify(connection);
      const { unrepresentable } = this.#config;
      const context = { unrepresentable, types: this.#config, serverIdentity, memory: this.#memory };
      yield* readChunk(connection, { ...request, snapshot }, context);
      isComplete = true;
    } finally {
      if (!isComplete) await this.#drop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  async #use<Result>(work: (connection: Connection) => Promise<Result>, at?: Endpoint): Promise<Result> {
    const connection = await this.#open(at);
    try {
      return await work(connection);
    } catch (cause) {
      await this.#drop();
      throw connection.explain(cause);
    }
  }

  /** `at` is the server that holds the snapshot: a connection that leads elsewhere is closed first. */
  async #open(at?: Endpoint): Promise<Connection> {
    const isThere = !at || isDeepStrictEqual(this.#connection?.endpoint, at);
    if (this.#connection?.isOpen && isThere) return this.#connection;
    await this.#drop();
    this.#connection = await connect(this.#config, at);
    return this.#connection;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#memory.clear();
    await connection?.[Symbol.asyncDispose]();
  }

  async #identify(connection: Connection): Promise<string> {
    this.#identity ??= await identifyServer(connection);
    return this.#identity;
  }
}

function located(token: string | undefined): { snapshot: string | undefined; endpoint?: Endpoint } {
  return token === undefined ? { snapshot: undefined } : parseSnapshotToken(token);
}
