import type { ErrorCode, Message } from '@fjord/core';
import type { ChunkLimits } from './chunk-budget.ts';
import type { Boundary, EncodedBatch, ReadChunkRequest, UnitMark } from './database.ts';

/** What a chunk worker is started with: the connector's module and its checked config. */
export type WorkerStart = { module: string; config: unknown };

/** A chunk to read, and what it may take. */
export type ChunkOrder = Omit<ReadChunkRequest, 'signal'> & { budget: ChunkLimits };

/** From the main thread to a chunk worker. `taken` says that a batch has gone on, so that another may be sent; `sent` gives its memory back. */
export type ToWorker =
  | { type: 'read'; order: ChunkOrder }
  | { type: 'taken' }
  | { type: 'sent'; memory: ArrayBuffer[] }
  | { type: 'pause'; isPaused: boolean }
  | { type: 'abort' }
  | { type: 'close' };

/** What a chunk gives, in order. */
export type ChunkItem =
  | ({ type: 'batch' } & EncodedBatch)
  | ({ type: 'reached' } & UnitMark)
  | ({ type: 'boundary' } & Boundary);

/** From a chunk worker to the main thread. */
export type FromWorker =
  | ChunkItem
  | { type: 'end' }
  | { type: 'error'; code: ErrorCode; message: string; help: string; stream?: string }
  | { type: 'log'; level: Message<'LOG'>['level']; message: string; fields?: Record<string, unknown> };
