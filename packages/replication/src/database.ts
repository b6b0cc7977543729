import type { ListedRow, Problem, RangeSum, SelectedStream, Stream, SumRequest } from '@fjord/core';
import type { ChangeLog } from './change-log.ts';
import type { IndexRange } from './index-ranges.ts';

/**
 * How a stream is cut, as plain JSON that goes into the state: small, and enough to cut it the same way after a crash. A unit is the
 * least that is read by itself; a chunk is a run of units, as many as make a good size. `identity` names the physical table(s) planned
 * (relfilenode or the like); when it differs, the plan is void.
 */
export type ChunkPlan = {
  identity: string;
  units: number;
  /** All units must be read in one transaction: no chunk of fewer would be consistent, or there is nothing to cut by. */
  isWhole: boolean;
  layout: unknown;
};

/** Rows ready to travel: one Arrow IPC stream in pieces. `rejected` counts, per column, values that the target type cannot hold. */
export type EncodedBatch = { rows: number; body: Uint8Array[]; rejected: Record<string, number> };

/** All rows of the units below `reached` have been given, and no statement is under way: here a chunk may end. */
export type UnitMark = { reached: number };

/** Where the next increment begins, as plain JSON for the state; the source's own. */
export type Boundary = { boundary: unknown };

/** A consistent point of the whole database that other connections can join by its token, held until disposed. */
export interface HeldSnapshot extends AsyncDisposable {
  readonly token: string;
  /** Settles with the error if the snapshot is lost before it is disposed (connection cut, server restart). */
  readonly lost: Promise<Error>;
}

/** How chunks are told apart: by where rows lie (fast; rows that move are missed or doubled) or by key (a row keeps its place). */
export type CutBy = 'place' | 'key';

export type PlanRequest = {
  /** About how many bytes of the table a unit covers. */
  unitBytes: number;
  /** Token of a held snapshot to plan for. */
  snapshot: string | undefined;
  cutBy: CutBy;
  /** The boundary of the last increment; undefined when all rows are read. */
  since: unknown;
};

export type ReadChunkRequest = {
  stream: SelectedStream;
  plan: ChunkPlan;
  /** The units to read, half open. */
  units: IndexRange;
  /** Into how many statements each unit is to be cut further; more than 1 after one took too long. */
  pieces: number;
  /** Token of a held snapshot to read in; without it the chunk is read in a transaction of its own. */
  snapshot: string | undefined;
  /** The boundary of the last increment; undefined when all rows are read. */
  since: unknown;
  /** Transactions of the change log that the chunk's snapshot must see (rule 9); the source waits until it does. */
  notBefore?: string[];
  /** No statement may take longer; undefined where there is nothing to cut by. */
  maxStatementSeconds: number | undefined;
  /** About how many bytes a batch may hold. */
  batchBytes: number;
  signal: AbortSignal;
};

/** Rows to sum: those of `readChunk` with the same request. `columns` are in the order of a row's text, `key` tells rows apart; none: all columns do. */
export type SumRowsRequest = Pick<
  ReadChunkRequest,
  'stream' | 'plan' | 'units' | 'snapshot' | 'maxStatementSeconds'
> & {
  columns: readonly string[];
  key: readonly string[];
  sums: SumRequest;
};

/** Sums by range, or the rows of the ranges that were to be listed. */
export type SummedRows = { ranges: RangeSum[]; listed: ListedRow[] };

/** How busy the server is, as far as the user may see it. */
export type ServerLoad = {
  /** Connections that are free for the user. */
  freeConnections: number;
  /** Sessions of others that are at work now. */
  activeSessions: number;
  /** How far the slowest replica is behind; undefined where there is none, or it cannot be seen. */
  replicaLagSeconds: number | undefined;
};

/**
 * What a database source is to replication: no loop over chunks, no retry, no state in it. One instance serves one thread;
 * it connects when first asked for something. Faults are ConnectorErrors; `plan_outdated` when a chunk's table is not the planned one.
 */
export interface Database extends AsyncDisposable {
  findProblems(): Promise<Problem[]>;
  discover(): Promise<Stream[]>;
  /** An optional member is a capability: without it no snapshot can be held. `unsupported` if this server cannot. */
  holdSnapshot?(): Promise<HeldSnapshot>;
  /** How busy the server is; without it nothing is bounded or paused by it. */
  measureLoad?(): Promise<ServerLoad>;
  /** The log of changes as one pipeline (its id) follows it; without it streams cannot follow. The change log is disposed before the database. */
  openChangeLog?(pipeline: string): ChangeLog;
  planChunks(stream: SelectedStream, request: PlanRequest): Promise<ChunkPlan>;
  /**
   * The rows of the units in their order, a mark after each unit; the consumer may stop at a mark. The last unit of an incremental
   * stream ends with the boundary for the next increment.
   */
  readChunk(request: ReadChunkRequest): AsyncIterable<EncodedBatch | UnitMark | Boundary>;
  /**
   * Sums rows in the database, exactly as `RowSums` of `@fjord/core` does it with what `readChunk` gives. Why not, in words, where it cannot
   * for a stream's columns: then rows are read, as they are without this.
   */
  sumRows?(request: SumRowsRequest): Promise<SummedRows | { whyNot: string }>;
}
