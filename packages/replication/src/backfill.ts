import { asConnectorError, type ReadRequest, type RunContext, type SourceMessage } from '@fjord/core';
import { MAX_ATTEMPTS, waitBeforeAttempt } from './backoff.ts';
import { ChunkReader } from './chunk-reader.ts';
import { ChunkSchedule } from './chunk-schedule.ts';
import type { Database } from './database.ts';
import { Mailbox } from './mailbox.ts';
import type { ReplicationOptions } from './options.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { ChunkTask } from './stream-backfill.ts';
import { openStream, runNumber, type SharedState, type StreamState } from './stream-state.ts';

/** Larger batches gain nothing (4 MB ones took the same CPU) and cost memory in both processes. */
const MAX_BATCH_BYTES = 1024 * 1024;
/** Copies of a batch alive at once per reader: column buffers, the framed batch, one in each queue on the way, one being sent. */
const COPIES_PER_READER = 8;

export type BackfillRun = ReadRequest<unknown, unknown> & {
  options: ReplicationOptions;
  module: string;
  open(config: unknown, context: RunContext): Promise<Database>;
};

/** Backfills the selected streams, several chunks at a time. One stream's fault leaves the others running; a lost snapshot or signal ends the run. */
export async function* runBackfill(run: BackfillRun, context: RunContext): AsyncGenerator<SourceMessage> {
  // States are this package's own, written by `StreamBackfill` and checked by the destination to be the latest.
  const shared = (run.sharedState ?? undefined) as SharedState | undefined;
  const number = runNumber(shared);
  const { consistency } = run.options;
  const openings = run.streams.map((selected) => {
    const state = (run.states.get(selected.stream) ?? undefined) as StreamState | undefined;
    return { selected, opening: openStream(state, { number, writeMode: selected.writeMode, consistency }) };
  });
  if (openings.every(({ opening }) => opening.action === 'skip')) {
    if (shared && !shared.ended) yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
    return;
  }
  yield { type: 'STATE', state: { run: number, ended: false } satisfies SharedState };
  await using database = await run.open(run.config, context);
  await using schedule = await ChunkSchedule.open({ database, openings, run: number, options: run.options }, context);
  yield* readChunks(run, schedule, context);
  yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
}

/** Runs the readers side by side and yields their messages in the order in which they were put. */
async function* readChunks(
  run: BackfillRun,
  schedule: ChunkSchedule,
  context: RunContext,
): AsyncGenerator<SourceMessage> {
  const { parallel } = run.options;
  const mailbox = new Mailbox<SourceMessage[]>(parallel);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const meter = new ProgressMeter(context);
  const lanes = Array.from({ length: parallel }, async () => {
    const lane = new Lane({ run, schedule, mailbox, meter, signal }, context);
    try {
      await lane.readAll();
    } finally {
      await lane.close();
    }
  });
  void schedule.lost.then((error) => mailbox.close(error));
  void Promise.all(lanes).then(
    () => mailbox.close(),
    (error: unknown) => mailbox.close(error),
  );
  try {
    for await (const messages of mailbox) {
      for (const message of messages) {
        yield message;
        if (message.type === 'BATCH') giveBack(message.body);
      }
    }
  } finally {
    stop.abort();
    await Promise.allSettled(lanes);
  }
}

type LaneParts = {
  run: BackfillRun;
  schedule: ChunkSchedule;
  mailbox: Mailbox<SourceMessage[]>;
  meter: ProgressMeter;
  signal: AbortSignal;
};

/** One reader with its worker thread: takes chunk after chunk from the schedule. */
class Lane {
  readonly #parts: LaneParts;
  readonly #context: RunContext;
  #reader: ChunkReader | undefined;

  constructor(parts: LaneParts, context: RunContext) {
    this.#parts = parts;
    this.#context = context;
  }

  async readAll(): Promise<void> {
    const { schedule, mailbox, signal } = this.#parts;
    for (;;) {
      signal.throwIfAborted();
      const { task, messages } = await schedule.next();
      if (messages.length > 0) await mailbox.put(messages);
      if (task) await this.#readWithRetry(task);
      else if (messages.length === 0) return;
    }
  }

  async close(): Promise<void> {
    await this.#reader?.[Symbol.asyncDispose]();
  }

  async #readWithRetry(task: ChunkTask): Promise<void> {
    const { mailbox, schedule, signal } = this.#parts;
    const { stream } = task.backfill.selected;
    const chunk = `${task.generation}-${task.chunk}`;
    for (let attempt = 1; task.backfill.isCurrent(task); attempt++) {
      if (attempt > 1) await waitBeforeAttempt(attempt, signal);
      const place = { stream, chunk, attempt };
      try {
        await mailbox.put([{ type: 'CHUNK', ...place, event: 'begin' }]);
        await this.#readOnce(task, place);
        return;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asConnectorError(thrown);
        this.#context.log('warn', 'reading a chunk failed', { ...place, code: error.code, error: error.message });
        const messages = await schedule.afterFault(task, { error, retriesLeft: MAX_ATTEMPTS - attempt });
        await mailbox.put([{ type: 'CHUNK', ...place, event: 'discard' }, ...messages]);
      }
    }
  }

  async #readOnce(task: ChunkTask, place: { stream: string; chunk: string; attempt: number }): Promise<void> {
    const { run, mailbox, meter, schedule, signal } = this.#parts;
    const { backfill, plan, chunk } = task;
    this.#reader ??= new ChunkReader({ module: run.module, config: run.config }, this.#context.log);
    const rejected: Record<string, number> = {};
    let rows = 0;
    const request = { stream: backfill.selected, plan, chunk, snapshot: schedule.snapshotOf(backfill), signal };
    for await (const batch of this.#reader.read({ ...request, batchBytes: batchBytes(run) })) {
      rows += batch.rows;
      for (const [column, count] of Object.entries(batch.rejected)) rejected[column] = (rejected[column] ?? 0) + count;
      meter.add(backfill, batch);
      if (batch.rows > 0) {
        await mailbox.put([
          { type: 'BATCH', ...place, kind: 'backfill', schema: 1, rows: batch.rows, body: batch.body },
        ]);
      }
    }
    if (!backfill.isCurrent(task)) {
      await mailbox.put([{ type: 'CHUNK', ...place, event: 'discard' }]);
      return;
    }
    // One item: no other chunk's message may come between `done` and the state that counts it.
    const counted = Object.keys(rejected).length > 0 ? { rejected } : {};
    const done: SourceMessage = { type: 'CHUNK', ...place, event: 'done', rows, ...counted };
    await mailbox.put([done, ...backfill.finishChunk(chunk)]);
    meter.show(backfill);
  }
}

/** A sent batch's memory goes back now: this thread makes so little garbage that it would be collected dozens of batches later. */
function giveBack(body: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of body) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && !buffer.detached) buffer.transfer(0);
  }
}

const batchBytes = ({ memoryBytes, options }: BackfillRun) =>
  Math.min(MAX_BATCH_BYTES, Math.floor(memoryBytes / (options.parallel * COPIES_PER_READER)));
