import type { ConnectorError, SelectedStream, SourceMessage } from '@fjord/core';
import type { ChunkPlan } from './database.ts';
import { addIndex, countIndexes, hasIndex, type IndexRanges } from './index-ranges.ts';
import type { Opening, StreamState } from './stream-state.ts';

/** One chunk to read. `generation` tells whether the backfill it belongs to is still the stream's current one when it is done. */
export type ChunkTask = { backfill: StreamBackfill; plan: ChunkPlan; chunk: number; generation: number };

type Begun = Exclude<Opening, { action: 'skip' }>;

/** The backfill of one stream: which chunks wait, which are done, and what must be said when one is. It does no I/O. */
export class StreamBackfill {
  readonly selected: SelectedStream;
  readonly #run: number;
  readonly #resumable: boolean;
  #generation: number;
  #replace: boolean;
  #plan: ChunkPlan | undefined;
  #done: IndexRanges = [];
  #waiting: number[] = [];
  #ended = false;
  rows = 0;
  bytes = 0;
  rejected: Record<string, number> = {};

  constructor(selected: SelectedStream, opening: Begun, run: { number: number; resumable: boolean }) {
    this.selected = selected;
    this.#run = run.number;
    this.#resumable = run.resumable;
    if (opening.action === 'begin') {
      this.#generation = opening.generation;
      this.#replace = opening.replace;
      return;
    }
    this.#generation = opening.state.generation;
    this.#replace = opening.state.replace;
    this.#plan = opening.state.plan;
    this.#done = opening.state.done;
  }

  get generation(): number {
    return this.#generation;
  }

  /** The plan to go on with; undefined when the stream has yet to be planned. */
  get plan(): ChunkPlan | undefined {
    return this.#plan;
  }

  /** Begins, or goes on, by `plan`; gives what must be sent first. */
  begin(plan: ChunkPlan): SourceMessage[] {
    this.#plan = plan;
    this.#waiting = Array.from({ length: plan.chunks }, (_, index) => index).filter((i) => !hasIndex(this.#done, i));
    const { stream } = this.selected;
    const first: SourceMessage = { type: 'BACKFILL', stream, generation: this.#generation, replace: this.#replace };
    return this.#waiting.length === 0 ? [first, ...this.#complete()] : [first];
  }

  /** Starts over under a new generation that replaces what the old one wrote; the caller plans anew and calls `begin`. */
  startOver(): void {
    this.#generation += 1;
    this.#replace = true;
    this.#plan = undefined;
    this.#done = [];
    this.#waiting = [];
    this.rows = 0;
    this.bytes = 0;
    this.rejected = {};
  }

  takeChunk(): ChunkTask | undefined {
    const chunk = this.#waiting.shift();
    if (chunk === undefined || !this.#plan) return undefined;
    return { backfill: this, plan: this.#plan, chunk, generation: this.#generation };
  }

  /** Whether the task's rows may still be used: its backfill was neither started over nor given up meanwhile. */
  isCurrent(task: ChunkTask): boolean {
    return !this.#ended && task.generation === this.#generation;
  }

  /** Marks a chunk done; gives what follows its CHUNK message: the state, or the stream's end. */
  finishChunk(chunk: number): SourceMessage[] {
    this.#done = addIndex(this.#done, chunk);
    if (countIndexes(this.#done) === this.#plan?.chunks) return this.#complete();
    return this.#resumable ? [this.#state({ phase: 'backfill' })] : [];
  }

  /** Gives the stream up; the others go on. */
  fail(error: ConnectorError): SourceMessage[] {
    this.#ended = true;
    this.#waiting = [];
    return [{ type: 'STATUS', stream: this.selected.stream, status: 'INCOMPLETE', reason: error.message }];
  }

  /** COMPLETE comes before the last state, so that the swap of a staged overwrite and that state are one commit. */
  #complete(): SourceMessage[] {
    this.#ended = true;
    return [{ type: 'STATUS', stream: this.selected.stream, status: 'COMPLETE' }, this.#state({ phase: 'complete' })];
  }

  #state({ phase }: { phase: 'backfill' | 'complete' }): SourceMessage {
    const { stream } = this.selected;
    const base = { run: this.#run, generation: this.#generation };
    if (phase === 'complete' || !this.#plan) {
      return { type: 'STATE', stream, state: { phase: 'complete', ...base } satisfies StreamState };
    }
    const done = this.#done.map(([from, to]): [number, number] => [from, to]);
    const state: StreamState = { phase: 'backfill', ...base, replace: this.#replace, plan: this.#plan, done };
    return { type: 'STATE', stream, state };
  }
}
