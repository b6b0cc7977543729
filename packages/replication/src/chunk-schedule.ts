import {
  asConnectorError,
  ConnectorError,
  type RunContext,
  type SelectedStream,
  type SourceMessage,
} from '@fjord/core';
import { MAX_ATTEMPTS, waitBeforeAttempt } from './backoff.ts';
import type { LoadGate } from './changes/load-gate.ts';
import { ChunkSizer, unitsPerChunk } from './chunk-sizer.ts';
import type { ConsistentPoint } from './consistent-point.ts';
import type { ChunkPlan, Database, HeldSnapshot, PlanRequest } from './database.ts';
import type { ReplicationOptions } from './options.ts';
import { sourceView } from './shape/source-view.ts';
import { type ChunkTask, StreamBackfill } from './stream-backfill.ts';
import type { Opening } from './stream-state.ts';

/** How often a stream is started over because its table was rewritten under the reader, before it is given up. */
const MAX_RESTARTS = 3;

/** What is cured by waiting: all that is retryable but tells of the plan or the snapshot. */
const TRANSIENT: ReadonlySet<string> = new Set(['source_unreachable', 'source_connection_lost', 'source_busy']);

type ScheduleParts = {
  database: Database;
  openings: { selected: SelectedStream; opening: Opening }[];
  run: number;
  options: ReplicationOptions;
  readers: number;
  point: ConsistentPoint;
  /** Where the change log is followed beside the chunks. */
  gate?: LoadGate;
};

/** What a reader does next: a chunk, messages to send first, or, when both are missing, nothing more. */
export type Next = {
  task: ChunkTask | undefined;
  messages: SourceMessage[];
  /** The stream has ended without a chunk of this reader's. */
  ended?: StreamBackfill;
};

/** Hands out chunks, stream after stream, planning each stream when its turn comes; decides what a fault means for its stream. */
export class ChunkSchedule implements AsyncDisposable {
  readonly #parts: ScheduleParts;
  readonly #context: RunContext;
  readonly #waiting: StreamBackfill[];
  /** What the summary should say of a stream once it begins. */
  readonly #notes: Map<string, string>;
  readonly #restarts = new Map<StreamBackfill, number>();
  readonly #snapshots = new Map<StreamBackfill, HeldSnapshot>();
  #readers: number;
  #current: StreamBackfill[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #lost = Promise.withResolvers<Error>();

  /** In snapshot consistency all chunks will be read in the snapshot of the point, which the schedule disposes of. */
  constructor(parts: ScheduleParts, context: RunContext) {
    this.#parts = parts;
    this.#context = context;
    const { run: number, options, point, gate } = parts;
    const { chunkMB, maxStatementSeconds, workShare } = options;
    const units = unitsPerChunk(workShare);
    const limits = { bytes: chunkMB * 1024 * 1024, seconds: maxStatementSeconds, readers: parts.readers, units };
    this.#readers = parts.readers;
    this.#waiting = parts.openings.flatMap(({ selected, opening }) => {
      if (opening.action === 'skip' || opening.action === 'refuse') return [];
      const sizer = new ChunkSizer(limits);
      const context = { number, consistency: point.consistency, sizer, isFollowed: gate !== undefined };
      return [new StreamBackfill(selected, opening, context)];
    });
    this.#notes = new Map(parts.openings.flatMap(({ selected, opening }) => noteOf(selected, opening)));
    if (point.snapshot) this.#watch(point.snapshot);
  }

  /** Settles with the error when a held snapshot is gone: what was read in it cannot be continued. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  snapshotOf(backfill: StreamBackfill): string | undefined {
    return (this.#snapshots.get(backfill) ?? this.#parts.point.snapshot)?.token;
  }

  /**
   * The next chunk to read; without one a reader must not ask again. Calls are served one after the other, since each may have to plan a
   * stream; a reader waits here while the only chunks left are of streams whose changes have to go first.
   */
  async next(): Promise<Next> {
    for (;;) {
      const next = await this.#inTurn(() => this.#next());
      if (!('opened' in next)) return next;
      await next.opened();
    }
  }

  /** Lets a reader leave before its chunk is read, if others are there to read it; false if it is the last one. */
  leave(task: ChunkTask): boolean {
    if (this.#readers === 1) return false;
    this.#readers -= 1;
    task.backfill.giveBack(task);
    return true;
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
    for (const snapshot of [this.#parts.point.snapshot, ...this.#snapshots.values()])
      await snapshot?.[Symbol.asyncDispose]();
  }

  async #next(): Promise<Next | { opened(): Promise<void> }> {
    const task = this.#takeChunk();
    if (task) return { task, messages: [] };
    const backfill = this.#waiting.shift();
    if (backfill) {
      const messages = await this.#begin(backfill);
      return backfill.hasEnded ? { task: undefined, messages, ended: backfill } : { task: this.#takeChunk(), messages };
    }
    const [opened] = this.#current.flatMap((other) => {
      const wait = other.hasWaiting ? this.#parts.gate?.closedUntil(other) : undefined;
      return wait ? [wait] : [];
    });
    // Not the promise itself: the turn would wait for it, and a fault's turn with it.
    if (opened) return { opened: () => opened };
    this.#readers -= 1;
    return { task: undefined, messages: [] };
  }

  async #begin(backfill: StreamBackfill): Promise<SourceMessage[]> {
    const { options, point, database } = this.#parts;
    const request: PlanRequest = {
      unitBytes: (options.chunkMB * 1024 * 1024) / unitsPerChunk(options.workShare),
      snapshot: this.snapshotOf(backfill),
      cutBy: point.consistency === 'keys' ? 'key' : 'place',
      since: backfill.since,
    };
    try {
      const plan =
        backfill.plan ?? (await this.#retrying(() => database.planChunks(sourceView(backfill.selected), request)));
      this.#current.push(backfill);
      this.#say(backfill, plan);
      this.#parts.gate?.loadBegun(backfill);
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
    const first = (await this.#parts.gate?.startedOver(backfill)) ?? [];
    this.#current = this.#current.filter((other) => other !== backfill);
    if (this.#parts.point.snapshot) {
      await this.#snapshots.get(backfill)?.[Symbol.asyncDispose]();
      this.#snapshots.set(backfill, await this.#hold(backfill));
    }
    return [...first, ...(await this.#begin(backfill))];
  }

  #giveUp(backfill: StreamBackfill, error: ConnectorError): SourceMessage[] {
    const { stream } = backfill.selected;
    this.#context.report(new ConnectorError(error.code, error.message, { cause: error, stream, help: error.help }));
    return backfill.fail(error);
  }

  #takeChunk(): ChunkTask | undefined {
    // A stream stays until it has ended: a chunk that ends early, or is given back, lets units wait again.
    this.#current = this.#current.filter(({ hasEnded }) => !hasEnded);
    const { gate } = this.#parts;
    for (const backfill of this.#current) {
      const task = gate?.closedUntil(backfill) ? undefined : backfill.takeChunk();
      if (!task) continue;
      gate?.chunkBegun(backfill);
      return task;
    }
    return undefined;
  }

  async #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#context;
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1) await waitBeforeAttempt(attempt, signal);
      try {
        return await work();
      } catch (thrown) {
        const error = asConnectorError(thrown);
        if (!TRANSIENT.has(error.code) || attempt === MAX_ATTEMPTS || signal.aborted) throw error;
        this.#context.log('warn', 'planning a stream failed', { code: error.code, error: error.message, attempt });
      }
    }
  }

  async #hold(backfill: StreamBackfill): Promise<HeldSnapshot> {
    const { gate, database } = this.#parts;
    const snapshot = await (gate ? gate.holdSnapshot(backfill) : database.holdSnapshot?.());
    if (!snapshot) throw new Error('the database held a snapshot before');
    this.#watch(snapshot);
    return snapshot;
  }

  #watch(snapshot: HeldSnapshot): void {
    void snapshot.lost.then((error) => this.#lost.resolve(error));
  }

  /** Says once how a stream is read, where that is not what was asked for. */
  #say(backfill: StreamBackfill, plan: ChunkPlan): void {
    const { stream } = backfill.selected;
    const { why } = this.#parts.point;
    const how = plan.isWhole
      ? 'in one transaction of its own'
      : 'by ranges of its key, each in a transaction of its own';
    const fallen = why === undefined ? [] : [`read ${how}: no snapshot could be held (${why})`];
    const opened = this.#notes.get(stream);
    this.#notes.delete(stream);
    for (const note of [...fallen, ...(opened === undefined ? [] : [opened])]) {
      this.#context.progress({ stream, rows: backfill.rows, bytes: backfill.bytes, note });
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function noteOf({ stream }: SelectedStream, opening: Opening): [string, string][] {
  return opening.action === 'begin' && opening.note !== undefined ? [[stream, opening.note]] : [];
}
