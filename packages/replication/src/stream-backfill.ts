import type { ConnectorError, SelectedStream, SourceMessage } from '@fjord/core';
import type { ChunkSizer } from './chunk-sizer.ts';
import type { ChunkPlan } from './database.ts';
import { addRange, countIndexes, type IndexRange, type IndexRanges, missingRanges } from './index-ranges.ts';
import type { Consistency } from './options.ts';
import { shapeFingerprint } from './shape/source-view.ts';
import type { Opening, StreamState } from './stream-state.ts';

/** One chunk to read: a run of units. `generation` tells whether the backfill it belongs to is still the stream's current one when it is done. */
export type ChunkTask = { backfill: StreamBackfill; plan: ChunkPlan; units: IndexRange; generation: number };

type Begun = Exclude<Opening, { action: 'skip' | 'refuse' }>;
export type BackfillContext = {
  number: number;
  consistency: Consistency;
  sizer: ChunkSizer;
  /** Its end is not the stream's: the change log follows. */
  isFollowed?: boolean;
};

/** The backfill or increment of one stream: which units wait, which are done, and what must be said when a chunk is. It does no I/O. */
export class StreamBackfill {
  readonly selected: SelectedStream;
  /** The boundary that an increment goes on from; undefined when all rows are read. */
  readonly since: unknown;
  readonly #context: BackfillContext;
  #generation: number;
  #replace: boolean;
  #plan: ChunkPlan | undefined;
  #done: IndexRanges = [];
  #waiting: IndexRanges = [];
  #boundary: unknown;
  #ended = false;
  #failed = false;
  rows = 0;
  bytes = 0;
  rejected: Record<string, number> = {};
  /** Up to where changes of the stream were given, for its states; kept up to date by whoever follows the log. */
  logPosition: unknown;

  constructor(selected: SelectedStream, opening: Begun, context: BackfillContext) {
    this.selected = selected;
    this.#context = context;
    if (opening.action === 'begin') {
      this.#generation = opening.generation;
      this.#replace = opening.replace;
      this.since = opening.since;
      return;
    }
    this.#generation = opening.state.generation;
    this.#replace = opening.state.replace;
    this.#plan = opening.state.plan;
    this.#done = opening.state.done;
    this.logPosition = opening.state.log;
  }

  get generation(): number {
    return this.#generation;
  }

  /** The plan to go on with; undefined when the stream has yet to be planned. */
  get plan(): ChunkPlan | undefined {
    return this.#plan;
  }

  /** Whether nothing more will be read: all units are done, or the stream was given up. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether the stream was given up. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Whether units wait for a reader. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get consistency(): Consistency {
    return this.#context.consistency;
  }

  /** Whether what it reads takes the place of the table's rows. */
  get isReplacing(): boolean {
    return this.#replace;
  }

  /** Whether the stream is committed chunk by chunk, so that a later run can go on from them. */
  get isResumable(): boolean {
    return this.#context.consistency !== 'snapshot' && !this.selected.incremental && this.#plan?.isWhole !== true;
  }

  /** Begins, or goes on, by `plan`; gives what must be sent first. */
  begin(plan: ChunkPlan): SourceMessage[] {
    this.#plan = plan;
    this.#waiting = missingRanges(this.#done, plan.units);
    const { stream } = this.selected;
    const first: SourceMessage = { type: 'BACKFILL', stream, generation: this.#generation, replace: this.#replace };
    return this.#waiting.length === 0 ? [first, ...this.#complete()] : [first];
  }

  /** Starts over under a new generation that replaces what the old one committed; the caller plans anew and calls `begin`. */
  startOver(): void {
    // An increment has committed nothing yet: to replace would leave the table with the increment alone.
    if (this.isResumable && !this.#context.isFollowed) this.#replace = true;
    this.#generation += 1;
    this.#plan = undefined;
    this.#done = [];
    this.#waiting = [];
    this.#boundary = undefined;
    this.rows = 0;
    this.bytes = 0;
    this.rejected = {};
  }

  takeChunk(): ChunkTask | undefined {
    const [first, ...others] = this.#waiting;
    if (!first || !this.#plan) return undefined;
    const [from, end] = first;
    const size = this.#plan.isWhole ? this.#plan.units : this.#context.sizer.next(countIndexes(this.#waiting));
    const to = Math.min(end, from + size);
    this.#waiting = to < end ? [[to, end], ...others] : others;
    return { backfill: this, plan: this.#plan, units: [from, to], generation: this.#generation };
  }

  /** Puts a chunk that was not read back, for another reader to take. */
  giveBack({ units, generation }: ChunkTask): void {
    if (generation === this.#generation) this.#waiting = addRange(this.#waiting, units);
  }

  /** Whether the task's rows may still be used: its backfill was neither started over nor given up meanwhile. */
  isCurrent(task: ChunkTask): boolean {
    return !this.#ended && task.generation === this.#generation;
  }

  /** Notes where the next increment begins. */
  takeBoundary(boundary: unknown): void {
    this.#boundary = boundary;
  }

  /** Marks the units of a chunk below `reached` done, the others wait again; gives what follows its CHUNK message: the state, or the stream's end. */
  finishChunk({ units: [from, to] }: ChunkTask, reached: number): SourceMessage[] {
    this.#done = addRange(this.#done, [from, reached]);
    this.#waiting = addRange(this.#waiting, [reached, to]);
    if (countIndexes(this.#done) === this.#plan?.units) return this.#complete();
    return this.isResumable ? [this.progress()] : [];
  }

  /** Lets the sizer know what a chunk has measured. */
  learn(measured: { units: number; bytes: number; seconds: number }): void {
    this.#context.sizer.learn(measured);
  }

  /** Gives the stream up; the others go on. */
  fail(error: ConnectorError): SourceMessage[] {
    this.#ended = true;
    this.#failed = true;
    this.#waiting = [];
    return [{ type: 'STATUS', stream: this.selected.stream, status: 'INCOMPLETE', reason: error.message }];
  }

  /** COMPLETE comes before the last state, so that the swap of a staged overwrite and that state are one commit. */
  #complete(): SourceMessage[] {
    this.#ended = true;
    if (this.#context.isFollowed) return this.#context.consistency === 'snapshot' ? [] : [this.progress()];
    const { stream, incremental } = this.selected;
    const cursor = incremental && {
      cursor: {
        columns: incremental.cursor,
        ...(incremental.fallback !== undefined && { fallback: incremental.fallback }),
        boundary: this.#boundary ?? null,
      },
    };
    const state: StreamState = { phase: 'complete', ...this.#base(), ...cursor };
    return [
      { type: 'STATUS', stream, status: 'COMPLETE' },
      { type: 'STATE', stream, state },
    ];
  }

  /** The state that covers the chunks that are done, and the changes up to `logPosition`. */
  progress(): SourceMessage {
    if (!this.#plan) throw new Error('a chunk was done before the stream was planned');
    const done = this.#done.map(([from, to]): [number, number] => [from, to]);
    const { consistency } = this.#context;
    const log = this.logPosition === undefined ? {} : { log: this.logPosition };
    const base = { ...this.#base(), replace: this.#replace, consistency, ...log };
    const state: StreamState = { phase: 'backfill', ...base, plan: this.#plan, done };
    return { type: 'STATE', stream: this.selected.stream, state };
  }

  #base() {
    const shape = shapeFingerprint(this.selected);
    return { run: this.#context.number, generation: this.#generation, ...(shape !== undefined && { shape }) };
  }
}
