import type { RunContext } from '@fjord/core';
import type { ChangeLog } from '../change-log.ts';
import type { FollowedStream } from './followed-stream.ts';

/** A person sees two changes a second as live; more would only cost. */
const INTERVAL_MS = 500;
/** The lag is asked of the server, so less often. */
const LAG_INTERVAL_MS = 5_000;

/** Prints PROGRESS lines of the streams that take changes: how many came, and how far the log's reader is behind. */
export class ChangeProgress {
  readonly #changeLog: ChangeLog;
  readonly #streams: readonly FollowedStream[];
  readonly #context: RunContext;
  readonly #shown = new Map<FollowedStream, number>();
  #shownAt = 0;
  #askedAt = 0;
  #isAsking = false;

  constructor(changeLog: ChangeLog, streams: readonly FollowedStream[], context: RunContext) {
    this.#changeLog = changeLog;
    this.#streams = streams;
    this.#context = context;
  }

  /** To be called after each event; does something only when it is due. */
  tick(): void {
    const now = performance.now();
    if (now - this.#shownAt >= INTERVAL_MS) this.show();
    if (now - this.#askedAt >= LAG_INTERVAL_MS && !this.#isAsking) void this.#measure();
  }

  show(): void {
    this.#shownAt = performance.now();
    for (const stream of this.#streams) {
      if (stream.rows === (this.#shown.get(stream) ?? 0)) continue;
      this.#shown.set(stream, stream.rows);
      this.#context.progress(countsOf(stream));
    }
  }

  async #measure(): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = performance.now();
    try {
      const { bytes, seconds, arrivalSeconds } = await this.#changeLog.measureLag();
      const lag = {
        lagBytes: Math.max(0, Math.round(bytes)),
        ...(seconds !== undefined && { lagSeconds: seconds }),
        ...(arrivalSeconds !== undefined && { arrivalSeconds }),
      };
      for (const stream of this.#streams) {
        if (stream.changesAre === 'pass') this.#context.progress({ ...countsOf(stream), ...lag });
      }
    } catch (error) {
      // The log's own reader notices and waits; here only a figure is missing.
      this.#context.log('debug', 'the lag could not be measured', { error: String(error) });
    } finally {
      this.#isAsking = false;
    }
  }
}

const countsOf = ({ selected: { stream }, rows, bytes, backfill, phase }: FollowedStream) => ({
  stream,
  phase,
  rows: rows + (backfill?.rows ?? 0),
  bytes: bytes + (backfill?.bytes ?? 0),
});
