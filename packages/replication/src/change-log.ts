import type { Column, SelectedStream } from '@fjord/core';

/** A place in a change log, the source's own, as small plain JSON: it goes into states. */
export type LogPosition = unknown;

/** The same place as 16 bytes in hex, so that comparing text compares places: epoch, commit, ordinal (rule 8). */
export type OrderKey = string;

export type FollowRequest = {
  /** Changes that were committed after this place are given. */
  from: LogPosition;
  /** Ends once everything up to this place has been given; without it the log is followed until the signal. */
  until?: LogPosition;
  streams: SelectedStream[];
  /** About how many bytes a batch may hold. */
  batchBytes: number;
  /** A folder for what does not fit into memory (transactions under way), removed by its maker. */
  spillFolder: string;
  signal: AbortSignal;
};

/** What a change log gives, in its order and only of committed transactions: a transaction's events, and then its `commit`. */
export type LogEvent =
  /** Before a stream's first changes, and when its columns change. */
  | { event: 'schema'; stream: string; columns: Column[]; primaryKey: string[] }
  /** One Arrow IPC stream: the stream's columns as last said, `_op`, `_position`, `_unset`, `_committed_at` (docs/protocol.md, Changes). */
  | { event: 'changes'; stream: string; rows: number; body: Uint8Array[]; rejected: Record<string, number> }
  | { event: 'truncate'; stream: string; position: OrderKey }
  | { event: 'dropped'; stream: string; position: OrderKey }
  /** The end of a transaction. `transaction` is what `notBefore` of a chunk has to see. */
  | { event: 'commit'; position: LogPosition; orderKey: OrderKey; transaction: string }
  /** Nothing more of the streams lies before this place: it may be stated, so that the log can be let go. */
  | { event: 'heartbeat'; position: LogPosition; orderKey: OrderKey };

/** How far the log's reader is behind. */
export type LogLag = { bytes: number; seconds: number | undefined };

/** The change log of a database. Faults are ConnectorErrors; `position_lost` when the place asked for is gone. */
export interface ChangeLog {
  /** Makes what following needs (slot, publication) where the user allows it; gives the place from which all later changes can be had. */
  prepare(streams: SelectedStream[]): Promise<LogPosition>;
  /** The newest place: all that was committed before the call lies at or before it. */
  head(): Promise<LogPosition>;
  orderKey(position: LogPosition): OrderKey;
  follow(request: FollowRequest): AsyncIterable<LogEvent>;
  /** The log up to here is no longer needed: it is durable in the destination. */
  acknowledge(position: LogPosition): Promise<void>;
  measureLag(): Promise<LogLag>;
}
