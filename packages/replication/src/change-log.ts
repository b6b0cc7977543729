import type { Column, ConnectorError, Problem, SelectedStream } from '@fjord/core';
import type { HeldSnapshot } from './database.ts';

/** A place in a change log, the source's own, as small plain JSON: it goes into states. */
export type LogPosition = unknown;

/** The same place as 16 bytes in hex, so that comparing text compares places: epoch, commit, ordinal (rule 8). */
export type OrderKey = string;

export type FollowRequest = {
  /** Changes that were committed after this place are given. */
  from: LogPosition;
  /** Ends once everything up to this place has been given; without it the log is followed until the signal. */
  until?: LogPosition;
  /** With all of their columns at the source (`sourceView`): a column that is added there is given too, unless `shape` chooses columns. */
  streams: SelectedStream[];
  /** About how many bytes a batch may hold. */
  batchBytes: number;
  /** A folder for what does not fit into memory (transactions under way), removed by its maker. */
  spillFolder: string;
  signal: AbortSignal;
};

/**
 * What a change log gives, in its order and only of committed transactions: a transaction's events, and then its `commit`. Small
 * transactions that follow each other within about 50 ms or 1 MB share one `commit`, and their changes of a stream share batches; within
 * a stream all events stay in order, and all changes that a `commit` covers come before it.
 */
export type LogEvent =
  /** Before a stream's first changes, and when its columns change. */
  | { event: 'schema'; stream: string; columns: Column[]; primaryKey: string[] }
  /** One Arrow IPC stream: the stream's columns as last said, `_op`, `_position`, `_unset`, `_committed_at` (docs/protocol.md, Changes). */
  | { event: 'changes'; stream: string; rows: number; body: Uint8Array[]; rejected: Record<string, number> }
  | { event: 'truncate'; stream: string; position: OrderKey }
  | { event: 'dropped'; stream: string; position: OrderKey }
  /** The end of one or more transactions. `transaction`, the source's own word for them, is what `notBefore` of a chunk has to see. */
  | { event: 'commit'; position: LogPosition; orderKey: OrderKey; transaction: string }
  /** Nothing more of the streams lies before this place: it may be stated, so that the log can be let go. */
  | { event: 'heartbeat'; position: LogPosition; orderKey: OrderKey };

/** How far the log's reader is behind, and how long the slowest of the transactions since the last such question took from its commit to here. */
export type LogLag = { bytes: number; seconds: number | undefined; arrivalSeconds?: number | undefined };

/** A held snapshot with its place in the log: its rows hold all changes up to there (order key at or below), and none that come after. */
export type PlacedSnapshot = HeldSnapshot & { readonly position: LogPosition };

/** What was removed, in words, and what others of our pipelines keep of the log though nobody follows them now. */
export type RemovedLog = { removed: string[]; idle: string[] };

/** The change log of a database, as one pipeline follows it. Faults are ConnectorErrors; `position_lost` when the place asked for is gone. */
export interface ChangeLog extends AsyncDisposable {
  /** All that keeps these streams from following, each with the fix; a problem that names a stream concerns it alone. Changes nothing. */
  findProblems(streams: SelectedStream[]): Promise<Problem[]>;
  /**
   * Makes what following needs (slot, publication) where the user allows it, for exactly these streams: all that follow, also those that
   * did before. Gives a place from which all later changes of all of them can be had; whoever followed before may go on from an older one.
   * Refuses, naming it, a stream that a problem names: published without a way to tell its rows apart, it could not be updated any more.
   */
  prepare(streams: SelectedStream[]): Promise<LogPosition>;
  /** A consistent point for streams that cannot converge by key (rule 7); after `prepare`. Waits for the transactions under way. */
  holdSnapshot(): Promise<PlacedSnapshot>;
  /** Of positions reached before, by stream, those from which this server's log does not lead on, each with why (`position_lost`). */
  findLost(positions: ReadonlyMap<string, LogPosition>): Promise<ReadonlyMap<string, ConnectorError>>;
  /** The newest place: all that was committed before the call lies at or before it. */
  head(): Promise<LogPosition>;
  orderKey(position: LogPosition): OrderKey;
  /** One at a time; after a fault it may be called again. */
  follow(request: FollowRequest): AsyncIterable<LogEvent>;
  /** The log up to here is no longer needed: it is durable in the destination. Also after `follow` has ended, until disposed. */
  acknowledge(position: LogPosition): Promise<void>;
  measureLag(): Promise<LogLag>;
  /** Removes what `prepare` has made; the pipeline cannot go on from its positions afterwards. */
  remove(): Promise<RemovedLog>;
}
