import type { Problem, SelectedStream, Stream } from '@fjord/core';
import type {
  Boundary,
  ChunkPlan,
  Database,
  EncodedBatch,
  PlanRequest,
  ReadChunkRequest,
  ReplicationOptions,
  ServerLoad,
  UnitMark,
} from '@fjord/replication';
import { leaveInOrder } from '@fjord/replication/connection';
import { readChunk } from './chunks.ts';
import type { Config } from './config.ts';
import { connect, type Connection } from './connection.ts';
import { discover } from './discover.ts';
import { planChunks } from './plan-chunks.ts';
import { findProblems } from './prerequisites.ts';
import { identifyServer } from './server-identity.ts';
import { measureLoad } from './server-load.ts';

type Options = Config & Pick<ReplicationOptions, 'parallel'>;

/** A MySQL or MariaDB server, connected when first asked for something. After a fault the next call connects anew. */
export class MysqlDatabase implements Database {
  readonly #config: Options;
  #connection: Connection | undefined;
  #serverIdentity: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(config: Options) {
    this.#config = config;
  }

  async findProblems(): Promise<Problem[]> {
    return findProblems(this.#config);
  }

  async discover(): Promise<Stream[]> {
    return this.#use((connection) => discover(connection, this.#config));
  }

  async measureLoad(): Promise<ServerLoad> {
    return this.#use(measureLoad);
  }

  async planChunks(stream: SelectedStream, request: PlanRequest): Promise<ChunkPlan> {
    return this.#use(async (connection) => {
      const serverIdentity = await this.#identify(connection);
      return planChunks(connection, stream, { ...request, serverIdentity, types: this.#config });
    });
  }

  async *readChunk(request: ReadChunkRequest): AsyncGenerator<EncodedBatch | UnitMark | Boundary> {
    const connection = await this.#open();
    yield* leaveInOrder(this.#read(connection, request), (isAtMark) =>
      isAtMark && connection.isOpen ? connection.query('ROLLBACK') : this.#drop(),
    );
  }

  async *#read(connection: Connection, request: ReadChunkRequest) {
    const serverIdentity = await this.#identify(connection);
    const { unrepresentable } = this.#config;
    yield* readChunk(connection, request, { unrepresentable, types: this.#config, serverIdentity });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  /** One after the other: a transaction of several statements must not have another's among them. */
  #use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(() => this.#useNow(work));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #useNow<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await this.#open();
    try {
      return await work(connection);
    } catch (cause) {
      await this.#drop();
      throw connection.explain(cause);
    }
  }

  async #open(): Promise<Connection> {
    if (this.#connection?.isOpen) return this.#connection;
    await this.#drop();
    this.#connection = await connect(this.#config);
    return this.#connection;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.[Symbol.asyncDispose]();
  }

  async #identify(connection: Connection): Promise<string> {
    this.#serverIdentity ??= await identifyServer(connection);
    return this.#serverIdentity;
  }
}
