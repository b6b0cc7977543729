import {
  asConnectorError,
  ConnectorError,
  type RunContext,
  type SelectedStream,
  type SourceMessage,
} from '@fjord/core';
import type { Database, HeldSnapshot } from './database.ts';
import type { ReplicationOptions } from './options.ts';
import { type ChunkTask, StreamBackfill } from './stream-backfill.ts';
import type { Opening } from './stream-state.ts';

/** How often a stream is started over because its table was rewritten under the reader, before it is given up. */
const MAX_RESTARTS = 3;

type ScheduleParts = {
  database: Database;
  openings: { selected: SelectedStream; opening: Opening }[];
  run: number;
  options: ReplicationOptions;
};

/** What a reader does next: a chunk, messages to send first, or, when both are missing, nothing more. */
export type Next = { task: ChunkTask | undefined; messages: SourceMessage[] };

/** Hands out chunks, stream after stream, planning each stream when its turn comes; decides what a fault means for its stream. */
export class ChunkSchedule implements AsyncDisposable {
  readonly #parts: ScheduleParts;
  readonly #context: RunContext;
  readonly #waiting: StreamBackfill[];
  readonly #restarts = new Map<StreamBackfill, number>();
  readonly #snapshots = new Map<StreamBackfill, HeldSnapshot>();
  #snapshot: HeldSnapshot | undefined;
  #current: StreamBackfill[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #lost = Promise.withResolvers<Error>();

  private constructor(parts: ScheduleParts, context: RunContext) {
    this.#parts = parts;
    this.#context = context;
    const resumable = parts.options.consistency === 'chunk';
    this.#waiting = parts.openings.flatMap(({ selected, opening }) =>
      opening.action === 'skip' ? [] : [new StreamBackfill(selected, opening, { number: parts.run, resumable })],
    );
  }

  /** Opens the schedule; in snapshot consistency all chunks will be read in the snapshot that is taken here. */
  static async open(parts: ScheduleParts, context: RunContext): Promise<ChunkSchedule> {
    const schedule = new ChunkSchedule(parts, context);
    if (parts.options.consistency === 'snapshot') schedule.#snapshot = await schedule.#hold();
    return schedule;
  }

  /** Settles with the error when a held snapshot is gone: what was read in it cannot be continued. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  snapshotOf(backfill: StreamBackfill): string | undefined {
    return (this.#snapshots.get(backfill) ?? this.#snapshot)?.token;
  }

  /** The next chunk to read. Calls are served one after the other, since each may have to plan a stream. */
  next(): Promise<Next> {
    return this.#inTurn(async () => {
      const task = this.#takeChunk();
      if (task) return { task, messages: [] };
      const backfill = this.#waiting.shift();
      if (!backfill) return { task: undefined, messages: [] };
      const messages = await this.#begin(backfill);
      return { task: backfill.takeChunk(), messages };
    });
  }

  /** Decides after a fault: nothing to send if the chunk may be tried again, else what starts the stream over or gives it up. */
  afterFault(task: ChunkTask, fault: { error: ConnectorError; retriesLeft: number }): Promise<SourceMessage[]> {
    return this.#inTurn(async () => {
      const { backfill } = task;
      if (!backfill.isCurrent(task)) return [];
      if (fault.error.code === 'plan_outdated') return this.#startOver(backfill, fault.error);
      if (fault.error.retryable && fault.retriesLeft > 0) return [];
      return this.#giveUp(backfill, fault.error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const snapshot of [this.#snapshot, ...this.#snapshots.values()]) await snapshot?.[Symbol.asyncDispose]();
  }

  async #begin(backfill: StreamBackfill): Promise<SourceMessage[]> {
    const request = { chunkBytes: this.#parts.options.chunkMB * 1024 * 1024, snapshot: this.snapshotOf(backfill) };
    try {
      const plan = backfill.plan ?? (await this.#parts.database.planChunks(backfill.selected, request));
      this.#current.push(backfill);
      return backfill.begin(plan);
    } catch (thrown) {
      const error = asConnectorError(thrown);
      // Rewritten after the snapshot was taken, before its turn came: to that snapshot the table may look empty.
      return error.code === 'plan_outdated' ? this.#startOver(backfill, error) : this.#giveUp(backfill, error);
    }
  }

  /** The table is not the one that was planned: all of it is read again, in snapshot consistency at a new moment. */
  async #startOver(backfill: StreamBackfill, cause: ConnectorError): Promise<SourceMessage[]> {
    const restarts = (this.#restarts.get(backfill) ?? 0) + 1;
    if (restarts > MAX_RESTARTS) return this.#giveUp(backfill, cause);
    this.#restarts.set(backfill, restarts);
    const { stream } = backfill.selected;
    this.#context.log('warn', 'stream starts over, its table was rewritten', { stream, restarts });
    backfill.startOver();
    this.#current = this.#current.filter((other) => other !== backfill);
    if (this.#snapshot) {
      await this.#snapshots.get(backfill)?.[Symbol.asyncDispose]();
      this.#snapshots.set(backfill, await this.#hold());
    }
    return this.#begin(backfill);
  }

  #giveUp(backfill: StreamBackfill, error: ConnectorError): SourceMessage[] {
    const { stream } = backfill.selected;
    this.#context.report(new ConnectorError(error.code, error.message, { cause: error, stream, help: error.help }));
    return backfill.fail(error);
  }

  #takeChunk(): ChunkTask | undefined {
    for (const backfill of this.#current) {
      const task = backfill.takeChunk();
      if (task) return task;
    }
    this.#current = [];
    return undefined;
  }

  async #hold(): Promise<HeldSnapshot> {
    const { database } = this.#parts;
    if (!database.holdSnapshot) {
      throw new ConnectorError('config_invalid', 'This source cannot hold a snapshot; set consistency to "chunk".');
    }
    const snapshot = await database.holdSnapshot();
    void snapshot.lost.then((error) => this.#lost.resolve(error));
    return snapshot;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
