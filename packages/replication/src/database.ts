import type { Problem, SelectedStream, Stream } from '@fjord/core';

/**
 * How a stream is cut into chunks, as plain JSON that goes into the state: small, and enough to cut it the same way
 * after a crash. `identity` names the physical table(s) planned (relfilenode or the like); when it differs, the plan is void.
 */
export type ChunkPlan = { identity: string; chunks: number; layout: unknown };

/** Rows ready to travel: one Arrow IPC stream in pieces. `rejected` counts, per column, values that the target type cannot hold. */
export type EncodedBatch = { rows: number; body: Uint8Array[]; rejected: Record<string, number> };

/** A consistent point of the whole database that other connections can join by its token, held until disposed. */
export interface HeldSnapshot extends AsyncDisposable {
  readonly token: string;
  /** Settles with the error if the snapshot is lost before it is disposed (connection cut, server restart). */
  readonly lost: Promise<Error>;
}

export type ReadChunkRequest = {
  stream: SelectedStream;
  plan: ChunkPlan;
  /** Index of the chunk, 0 to `plan.chunks - 1`. */
  chunk: number;
  /** Token of a held snapshot to read in; without it the chunk is read in a short transaction of its own. */
  snapshot: string | undefined;
  /** About how many bytes a batch may hold. */
  batchBytes: number;
  signal: AbortSignal;
};

/**
 * What a database source is to replication: no loop over chunks, no retry, no state in it. One instance serves one thread;
 * it connects when first asked for something. Faults are ConnectorErrors; `plan_outdated` when a chunk's table is not the planned one.
 */
export interface Database extends AsyncDisposable {
  findProblems(): Promise<Problem[]>;
  discover(): Promise<Stream[]>;
  /** An optional member is a capability: without it only the `chunk` consistency is offered. */
  holdSnapshot?(): Promise<HeldSnapshot>;
  planChunks(stream: SelectedStream, request: { chunkBytes: number; snapshot: string | undefined }): Promise<ChunkPlan>;
  readChunk(request: ReadChunkRequest): AsyncIterable<EncodedBatch>;
}
