import { isDeepStrictEqual } from 'node:util';
import type { Problem, SelectedStream, Stream } from '@fjord/core';
import type {
  Boundary,
  ChangeLog,
  ChunkPlan,
  Database,
  EncodedBatch,
  HeldSnapshot,
  PlanRequest,
  ReadChunkRequest,
  ReplicationOptions,
  ServerLoad,
  SummedRows,
  SumRowsRequest,
  UnitMark,
} from '@fjord/replication';
import { leaveInOrder } from '@fjord/replication/connection';
import { PostgresChangeLog } from './change-log.ts';
import { type ColumnMemory, readChunk } from './chunks.ts';
import type { Config } from './config.ts';
import { connect, type Connection } from './connection.ts';
import type { Endpoint } from './connection-uri.ts';
import { discover } from './discover.ts';
import { holdSnapshot, parseSnapshotToken } from './held-snapshot.ts';
import { planChunks } from './plan-chunks.ts';
import { cannotShare, detectPooler } from './pooler.ts';
import { findProblems } from './prerequisites.ts';
import { identifyServer } from './server-identity.ts';
import { measureLoad } from './server-load.ts';

/** PostgreSQL 14 and later read only the pages that a condition on ctid names (TID range scan). */
const VERSION = `SELECT pg_catalog.current_setting('server_version_num')::int4 >= 140000 AS "hasTidRangeScan"`;

type ServerTraits = { serverIdentity: string; hasTidRangeScan: boolean };

/** A PostgreSQL database, connected when first asked for something. After a fault the next call connects anew. */
export class PostgresDatabase implements Database {
  readonly #config: Config & Pick<ReplicationOptions, 'parallel'>;
  readonly #memory: ColumnMemory = new Map();
  #connection: Connection | undefined;
  #traits: ServerTraits | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(config: Config & Pick<ReplicationOptions, 'parallel'>) {
    this.#config = config;
  }

  async findProblems(): Promise<Problem[]> {
    return findProblems(this.#config);
  }

  async discover(): Promise<Stream[]> {
    return this.#use(async (connection) => {
      const streams = await discover(connection, this.#config);
      const [row] = await connection.query<{ name: string }>('SELECT pg_catalog.current_database()::text AS name');
      return streams.map((stream) => ({ ...stream, ...(row && { database: row.name }) }));
    });
  }

  async holdSnapshot(): Promise<HeldSnapshot> {
    const connection = await connect(this.#config);
    try {
      const pooler = await detectPooler(connection, this.#config);
      if (pooler && !pooler.canHoldSnapshot) throw cannotShare(pooler, connection.target);
      return await holdSnapshot(connection);
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  async measureLoad(): Promise<ServerLoad> {
    return this.#use(measureLoad);
  }

  openChangeLog(pipeline: string): ChangeLog {
    return new PostgresChangeLog(this.#config, pipeline);
  }

  async planChunks(stream: SelectedStream, request: PlanRequest): Promise<ChunkPlan> {
    const { snapshot, endpoint } = located(request.snapshot);
    return this.#use(async (connection) => {
      const traits = await this.#identify(connection);
      return planChunks(connection, stream, { ...request, ...traits, snapshot, types: this.#config });
    }, endpoint);
  }

  async sumRows(request: SumRowsRequest): Promise<SummedRows | { whyNot: string }> {
    const { snapshot, endpoint } = located(request.snapshot);
    return this.#use(async (connection) => {
      const { serverIdentity } = await this.#identify(connection);
      const { unrepresentable } = this.#config;
      // With the library that reads Arrow, which nothing else here needs.
      const { sumRows } = await import('./sum-rows.ts');
      return sumRows(connection, { ...request, snapshot }, { unrepresentable, types: this.#config, serverIdentity });
    }, endpoint);
  }

  async *readChunk(request: ReadChunkRequest): AsyncGenerator<EncodedBatch | UnitMark | Boundary> {
    const { snapshot, endpoint } = located(request.snapshot);
    const connection = await this.#open(endpoint);
    yield* leaveInOrder(this.#read(connection, { ...request, snapshot }), (isAtMark) =>
      isAtMark && connection.isOpen ? connection.query('ROLLBACK') : this.#drop(),
    );
  }

  async *#read(connection: Connection, request: ReadChunkRequest) {
    const { serverIdentity } = await this.#identify(connection);
    const { unrepresentable } = this.#config;
    const context = { unrepresentable, types: this.#config, serverIdentity, memory: this.#memory };
    yield* readChunk(connection, request, context);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  /** One after the other: a transaction of several statements must not have another's among them. */
  #use<Result>(work: (connection: Connection) => Promise<Result>, at?: Endpoint): Promise<Result> {
    const result = this.#turn.then(() => this.#useNow(work, at));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #useNow<Result>(work: (connection: Connection) => Promise<Result>, at?: Endpoint): Promise<Result> {
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

  async #identify(connection: Connection): Promise<ServerTraits> {
    if (this.#traits) return this.#traits;
    const serverIdentity = await identifyServer(connection);
    const [version] = await connection.query<Pick<ServerTraits, 'hasTidRangeScan'>>(VERSION);
    this.#traits = { serverIdentity, hasTidRangeScan: version?.hasTidRangeScan ?? false };
    return this.#traits;
  }
}

function located(token: string | undefined): { snapshot: string | undefined; endpoint?: Endpoint } {
  return token === undefined ? { snapshot: undefined } : parseSnapshotToken(token);
}
