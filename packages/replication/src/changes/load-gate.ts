import type { SourceMessage } from '@fjord/core';
import type { HeldSnapshot } from '../database.ts';
import type { StreamBackfill } from '../stream-backfill.ts';
import type { VisibleTransactions } from './visible-transactions.ts';

/** What the readers of chunks ask and tell whoever follows the change log beside them. */
export interface LoadGate {
  /** What chunks that begin now must see. */
  readonly transactions: VisibleTransactions;
  /** A wait for the time when chunks of the stream may begin again; undefined while they may. */
  closedUntil(backfill: StreamBackfill): Promise<void> | undefined;
  /** Chunks of the stream will begin: from now on its changes wait for them. */
  loadBegun(backfill: StreamBackfill): void;
  chunkBegun(backfill: StreamBackfill): void;
  /** A chunk is out, whatever became of it. */
  chunkEnded(backfill: StreamBackfill): Promise<void>;
  /** The load has ended without a chunk in flight. */
  loadEnded(backfill: StreamBackfill): Promise<void>;
  /** The stream is read anew: what must be sent before its chunks. */
  startedOver(backfill: StreamBackfill): Promise<SourceMessage[]>;
  /** A new consistent point for a stream that is read anew. */
  holdSnapshot(backfill: StreamBackfill): Promise<HeldSnapshot>;
}
