import type { Message, SelectedStream } from '@fjord/core';

/** How far one stream is. `rows` were read, `committedRows` are durable; `startedAt` and `endedAt` are Date.now() values. */
export type StreamProgress = {
  stream: string;
  target: string;
  status: 'WAITING' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';
  phase?: string;
  rows: number;
  bytes: number;
  committedRows: number;
  /** How many states of it became durable, and when the last of them did (Date.now()). */
  commits: number;
  committedAt?: number;
  rejected: Record<string, number>;
  /** What the operator should know of this stream at the end of the run, a sentence each. */
  notes: string[];
  resumed: boolean;
  /** How far what was read is behind the head of the change log. */
  lagBytes?: number;
  lagSeconds?: number;
  estimatedRows?: number;
  startedAt?: number;
  endedAt?: number;
  reason?: string;
};

/** Gathers what both connectors say about each stream. Streams keep the order of the selection. */
export class ProgressTracker {
  readonly #streams: Map<string, StreamProgress>;
  readonly #now: () => number;
  /** Streams whose destination reports durable rows itself: its count wins over the sum of STATE rows. */
  readonly #counted = new Set<string>();

  constructor(selected: readonly SelectedStream[], now: () => number = Date.now) {
    this.#now = now;
    this.#streams = new Map(
      selected.map(({ stream, target, estimatedRows }) => [
        stream,
        {
          stream,
          target: [...target.namespace, target.name].join('.'),
          status: 'WAITING',
          rows: 0,
          bytes: 0,
          committedRows: 0,
          commits: 0,
          rejected: {},
          notes: [],
          resumed: false,
          ...(estimatedRows !== undefined && { estimatedRows }),
        },
      ]),
    );
  }

  /** All streams as they are now. */
  get streams(): StreamProgress[] {
    return Array.from(this.#streams.values(), (stream) => ({ ...stream, notes: [...stream.notes] }));
  }

  /** Takes a PROGRESS line. Counts grow over a run; the source tells rows read, the destination rows committed. */
  take(line: Message<'PROGRESS'>, from: 'source' | 'destination'): void {
    const entry = this.#begin(line.stream);
    if (!entry) return;
    if (line.committedRows !== undefined) {
      entry.committedRows = line.committedRows;
      this.#counted.add(line.stream);
    }
    if (line.note !== undefined && !entry.notes.includes(line.note)) entry.notes.push(line.note);
    if (line.rejected) entry.rejected = addMissing(entry.rejected, line.rejected);
    if (from === 'destination') {
      entry.rows = Math.max(entry.rows, line.committedRows ?? 0);
      return;
    }
    entry.rows = line.rows;
    entry.bytes = line.bytes;
    if (line.phase !== undefined) entry.phase = line.phase;
    if (line.lagBytes !== undefined) entry.lagBytes = line.lagBytes;
    if (line.lagSeconds !== undefined) entry.lagSeconds = line.lagSeconds;
  }

  /** Takes a state that was durable before the run. */
  resume(stream: string): void {
    const entry = this.#streams.get(stream);
    if (entry) entry.resumed = true;
  }

  /** Takes a state that became durable. */
  commit({ stream, rows = 0 }: Message<'STATE'>): void {
    const entry = stream === undefined ? undefined : this.#begin(stream);
    if (!entry) return;
    entry.commits += 1;
    entry.committedAt = this.#now();
    if (this.#counted.has(entry.stream)) return;
    entry.committedRows += rows;
    entry.rows = Math.max(entry.rows, entry.committedRows);
  }

  /** Adds a stream that will not be read at all. */
  leaveOut({ stream, target, reason }: Pick<StreamProgress, 'stream' | 'target'> & { reason: string }): void {
    const nothing = { rows: 0, bytes: 0, committedRows: 0, commits: 0, rejected: {}, notes: [], resumed: false };
    this.#streams.set(stream, { stream, target, status: 'INCOMPLETE', ...nothing, reason });
  }

  /** Takes the destination's word about a stream. */
  end({ stream, status, reason }: Message<'STATUS'>): void {
    const entry = stream === undefined ? undefined : this.#streams.get(stream);
    if (!entry || (status !== 'COMPLETE' && status !== 'INCOMPLETE')) return;
    entry.status = status;
    entry.endedAt = this.#now();
    if (reason !== undefined) entry.reason = reason;
  }

  #begin(stream: string): StreamProgress | undefined {
    const entry = this.#streams.get(stream);
    if (!entry) return undefined;
    entry.startedAt ??= this.#now();
    if (entry.status === 'WAITING') entry.status = 'RUNNING';
    return entry;
  }
}

function addMissing(known: Record<string, number>, more: Record<string, number>): Record<string, number> {
  const sum = { ...known };
  for (const [column, count] of Object.entries(more)) sum[column] = Math.max(sum[column] ?? 0, count);
  return sum;
}
