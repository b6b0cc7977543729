import type { ErrorCode, Message } from '@fjord/core';
import type { EncodedBatch, ReadChunkRequest } from './database.ts';

/** What a chunk worker is started with: the connector's module and its checked config. */
export type WorkerStart = { module: string; config: unknown };

/** From the main thread to a chunk worker. `taken` says that a batch has gone on, so that another may be sent. */
export type ToWorker =
  | { type: 'read'; request: Omit<ReadChunkRequest, 'signal'> }
  | { type: 'taken' }
  | { type: 'abort' }
  | { type: 'close' };

/** From a chunk worker to the main thread. */
export type FromWorker =
  | ({ type: 'batch' } & EncodedBatch)
  | { type: 'end' }
  | { type: 'error'; code: ErrorCode; message: string; stream?: string }
  | { type: 'log'; level: Message<'LOG'>['level']; message: string; fields?: Record<string, unknown> };
