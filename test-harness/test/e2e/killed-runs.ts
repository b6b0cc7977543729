import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type AskedChunk,
  type Finished,
  finishedOf,
  killConnectors,
  readStates,
  stepHit,
  type Victim,
} from './kill-run.ts';
import type { Pipeline } from './pipeline.ts';

const VICTIMS: Victim[] = ['source', 'destination', 'both'];

type Plan = { tables: string[]; chunksPerTable: number; kills: number };
type Run = { asked: AskedChunk[]; finishedBefore: Map<string, Finished> };

/** One sync that is killed again and again until it is let through to its end, with what each of its runs asked the server for. */
export class KilledRuns {
  /** How long the runs took in all. */
  seconds = 0;
  /** Who was killed when and in which step, a line each. */
  readonly hits: string[] = [];
  readonly #pipeline: Pipeline;
  readonly #plan: Plan;
  readonly #runs: Run[] = [];
  #finished = new Map<string, Finished>();
  #onChunk: (() => void) | undefined;

  constructor(pipeline: Pipeline, plan: Plan) {
    this.#pipeline = pipeline;
    this.#plan = plan;
  }

  /** Takes a chunk that the server was asked for. */
  take(chunk: AskedChunk): void {
    if (!this.#plan.tables.includes(chunk.table)) return;
    this.#runs.at(-1)?.asked.push(chunk);
    this.#onChunk?.();
  }

  async killAll(): Promise<void> {
    for (let kill = 0; kill < this.#plan.kills; kill++) await this.#killOnce(kill);
    this.#begin();
    const begun = performance.now();
    const last = await this.#pipeline.sync();
    this.seconds += (performance.now() - begun) / 1000;
    expect(last.exitCode, `${last.stderr}\n${this.hits.join('\n')}`).toBe(0);
  }

  /** Rule 19: no run asks the server for a chunk, or for any chunk of a table, that was finished when it began. */
  checkNothingReadTwice(): void {
    for (const [number, { asked, finishedBefore }] of this.#runs.entries()) {
      const again = asked.filter((chunk) => {
        const finished = finishedBefore.get(chunk.table);
        return finished?.isComplete === true || finished?.chunks.includes(this.#indexOf(chunk));
      });
      expect(again, `run ${number + 1} read again; ${this.hits.join(', ')}`).toEqual([]);
    }
  }

  /** How many chunks the server was asked for in all runs, and how many there are. */
  get counts(): string {
    const { tables } = this.#plan;
    const asked = this.#runs.flatMap((run) => run.asked);
    return `${asked.length} chunks asked for, ${tables.reduce((sum, table) => sum + this.#pagesOf(table).length, 0)} different ones`;
  }

  async #killOnce(kill: number): Promise<void> {
    const { tables, chunksPerTable, kills } = this.#plan;
    const run = this.#begin();
    const all = tables.length * chunksPerTable;
    const done = [...run.finishedBefore.values()].reduce(
      (sum, { isComplete, chunks }) => sum + (isComplete ? chunksPerTable : chunks.length),
      0,
    );
    // The first commit of a snapshot comes with the first table, the last with the last.
    const share = (1 + ((tables.length - 1) * (kill + 0.5)) / kills) / tables.length;
    const begun = performance.now();
    const sync = this.#pipeline.start();
    let stderr = '';
    sync.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    sync.stdout.resume();
    const ended = once(sync, 'close');
    await this.#untilAsked(Math.round(all * share) - done, ended);
    // Elsewhere each time: in mid-chunk, mid-file, mid-commit.
    await delay((kill * 137 + this.#plan.tables.length * 11) % 300);
    const victim = VICTIMS[kill % VICTIMS.length] ?? 'both';
    killConnectors(sync.pid ?? 0, victim);
    await ended;
    this.seconds += (performance.now() - begun) / 1000;
    expect(sync.exitCode, stderr).toBe(3);
    const states = await readStates(this.#pipeline);
    this.#finished = finishedOf(states);
    this.hits.push(`${victim} at ${Math.round(100 * share)} %, ${await stepHit(this.#pipeline, states, tables)}`);
  }

  #begin(): Run {
    const run = { asked: [], finishedBefore: this.#finished };
    this.#runs.push(run);
    return run;
  }

  async #untilAsked(chunks: number, ended: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const run = this.#runs.at(-1);
    this.#onChunk = () => {
      if ((run?.asked.length ?? 0) >= chunks) resolve();
    };
    await Promise.race([promise, ended]);
    this.#onChunk = undefined;
  }

  /** A chunk's number in its table's plan: chunks are cut in the order of their pages. */
  #indexOf({ table, fromPage }: AskedChunk): number {
    return this.#pagesOf(table).indexOf(fromPage);
  }

  #pagesOf(table: string): number[] {
    const pages = this.#runs.flatMap(({ asked }) => asked.filter((chunk) => chunk.table === table));
    return [...new Set(pages.map(({ fromPage }) => fromPage))].toSorted((a, b) => a - b);
  }
}
