import type { RunContext } from '@fjord/core';
import type { EncodedBatch } from './database.ts';
import type { StreamBackfill } from './stream-backfill.ts';

/** A person sees two changes a second as live; more would only cost. */
const INTERVAL_MS = 500;

/** Counts what was read of each stream and prints PROGRESS lines, not more often than a person can see. */
export class ProgressMeter {
  readonly #context: RunContext;
  readonly #shownAt = new Map<StreamBackfill, number>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  add(backfill: StreamBackfill, { rows, body, rejected }: EncodedBatch): void {
    backfill.rows += rows;
    for (const piece of body) backfill.bytes += piece.byteLength;
    for (const [column, count] of Object.entries(rejected)) {
      backfill.rejected[column] = (backfill.rejected[column] ?? 0) + count;
    }
    if (Date.now() - (this.#shownAt.get(backfill) ?? 0) >= INTERVAL_MS) this.show(backfill);
  }

  show(backfill: StreamBackfill): void {
    this.#shownAt.set(backfill, Date.now());
    const { rows, bytes, rejected, selected } = backfill;
    const counted = Object.keys(rejected).length > 0 ? { rejected: { ...rejected } } : {};
    this.#context.progress({ stream: selected.stream, phase: 'backfill', rows, bytes, ...counted });
  }
}
