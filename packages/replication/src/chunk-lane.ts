import { asConnectorError, type RunContext, type SourceMessage } from '@fjord/core';
import { MAX_ATTEMPTS, waitBeforeAttempt } from './backoff.ts';
import type { ChunkLimits } from './chunk-budget.ts';
import type { LoadGate } from './changes/load-gate.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { ChunkSchedule } from './chunk-schedule.ts';
import type { LoadWatch } from './load-watch.ts';
import type { Mailbox } from './mailbox.ts';
import type { ProgressMeter } from './progress-meter.ts';
import type { ChunkTask } from './stream-backfill.ts';
import type { WorkerStart } from './worker-messages.ts';

/** After each statement that took too long a unit is cut into this many times more pieces. */
const PIECES_FACTOR = 4;
const MAX_PIECES = 4096;

/** Messages that go out one behind the other; `onSent` is called once they have, and their bytes are no longer needed. */
export type Outgoing = { messages: SourceMessage[]; onSent?: () => void };

export type LaneParts = {
  start: WorkerStart;
  schedule: ChunkSchedule;
  mailbox: Mailbox<Outgoing>;
  meter: ProgressMeter;
  watch: LoadWatch | undefined;
  budget: ChunkLimits;
  maxStatementSeconds: number;
  batchBytes: number;
  gate?: LoadGate;
  signal: AbortSignal;
};

type Place = { stream: string; chunk: string; attempt: number };

/** One reader with its worker thread: takes chunk after chunk from the schedule. */
export class ChunkLane implements AsyncDisposable {
  readonly #parts: LaneParts;
  readonly #context: RunContext;
  #reader: ChunkReader | undefined;
  #hasRead = false;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: LaneParts, context: RunContext) {
    this.#parts = parts;
    this.#context = context;
  }

  async readAll(): Promise<void> {
    const { schedule, mailbox, watch, gate, signal } = this.#parts;
    for (;;) {
      signal.throwIfAborted();
      await watch?.untilCalm(signal);
      const { task, messages, ended } = await schedule.next();
      if (messages.length > 0) await mailbox.put({ messages });
      if (ended) await gate?.loadEnded(ended);
      if (task) {
        const outcome = await this.#readWithRetry(task);
        await gate?.chunkEnded(task.backfill);
        if (outcome === 'leave') return;
      } else if (messages.length === 0) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe?.();
    await this.#reader?.[Symbol.asyncDispose]();
  }

  async #readWithRetry(task: ChunkTask): Promise<'done' | 'leave'> {
    const { mailbox, schedule, signal } = this.#parts;
    const { stream } = task.backfill.selected;
    const chunk = `${task.generation}-${task.units[0]}`;
    let pieces = 1;
    for (let attempt = 1; task.backfill.isCurrent(task); attempt++) {
      if (attempt > 1) await waitBeforeAttempt(attempt, signal);
      const place = { stream, chunk, attempt };
      using span = this.#context.trace?.('chunk', place);
      try {
        await mailbox.put({ messages: [{ type: 'CHUNK', ...place, event: 'begin' }] });
        const read = await this.#readOnce(task, place, pieces);
        span?.set(read);
        return 'done';
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asConnectorError(thrown);
        span?.fail(error);
        this.#context.log('warn', 'reading a chunk failed', { ...place, code: error.code, error: error.message });
        if (error.code === 'statement_too_slow') pieces = Math.min(pieces * PIECES_FACTOR, MAX_PIECES);
        const discard: SourceMessage = { type: 'CHUNK', ...place, event: 'discard' };
        // A server that has no connection for one more reader is left to the others.
        if (!this.#hasRead && error.code === 'source_busy' && schedule.leave(task)) {
          this.#context.log('warn', 'one reader fewer: the server has no connection for it');
          await mailbox.put({ messages: [discard] });
          return 'leave';
        }
        const messages = await schedule.afterFault(task, { error, retriesLeft: MAX_ATTEMPTS - attempt });
        await mailbox.put({ messages: [discard, ...messages] });
      }
    }
    return 'done';
  }

  async #readOnce(task: ChunkTask, place: Place, pieces: number): Promise<{ rows: number; bytes: number }> {
    const { mailbox, meter, gate, signal } = this.#parts;
    const { backfill, units } = task;
    const seen = gate?.transactions.list();
    const startedAt = performance.now();
    const rejected: Record<string, number> = {};
    let rows = 0;
    let bytes = 0;
    let reached = units[0];
    const reader = this.#open();
    const order = this.#order(task, { pieces, notBefore: seen?.notBefore });
    for await (const item of reader.read(order, signal)) {
      this.#hasRead = true;
      if (item.type === 'reached') ({ reached } = item);
      else if (item.type === 'boundary') backfill.takeBoundary(item.boundary);
      else {
        rows += item.rows;
        for (const piece of item.body) bytes += piece.byteLength;
        for (const [column, count] of Object.entries(item.rejected)) rejected[column] = (rejected[column] ?? 0) + count;
        meter.add(backfill, item);
        const batch = {
          type: 'BATCH',
          ...place,
          kind: 'backfill',
          schema: 1,
          rows: item.rows,
          body: item.body,
        } as const;
        if (item.rows > 0) await mailbox.put({ messages: [batch], onSent: () => reader.giveBack(item.body) });
      }
    }
    if (seen) gate?.transactions.confirm(seen.mark);
    if (!backfill.isCurrent(task)) {
      await mailbox.put({ messages: [{ type: 'CHUNK', ...place, event: 'discard' }] });
      return { rows, bytes };
    }
    backfill.learn({ units: reached - units[0], bytes, seconds: (performance.now() - startedAt) / 1000 });
    // One item: no other chunk's message may come between `done` and the state that counts it.
    const counted = Object.keys(rejected).length > 0 ? { rejected } : {};
    const done: SourceMessage = { type: 'CHUNK', ...place, event: 'done', rows, ...counted };
    await mailbox.put({ messages: [done, ...backfill.finishChunk(task, reached)] });
    meter.show(backfill);
    return { rows, bytes };
  }

  #open(): ChunkReader {
    if (this.#reader) return this.#reader;
    const reader = new ChunkReader(this.#parts.start, this.#context.log);
    this.#unsubscribe = this.#parts.watch?.subscribe((isPaused) => reader.setPaused(isPaused));
    this.#reader = reader;
    return reader;
  }

  #order({ backfill, plan, units }: ChunkTask, how: { pieces: number; notBefore: string[] | undefined }) {
    const { notBefore, ...cut } = how;
    const { schedule, budget, maxStatementSeconds, batchBytes } = this.#parts;
    const { selected: stream, since } = backfill;
    const snapshot = schedule.snapshotOf(backfill);
    const place = { stream, plan, units, ...cut, snapshot, since, ...(notBefore && { notBefore }) };
    return { ...place, maxStatementSeconds, batchBytes, budget };
  }
}
