import { schemaMessage } from '@fjord/core/arrow';
import type { DataFile } from '@fjord/iceberg';
import { arrowFieldsWithIds } from '../parquet/arrow-schema.ts';
import type { RollingFile } from '../parquet/rolling-file.ts';
import { wholeStream } from '../parquet/whole-stream.ts';
import type { RollingFileOptions } from '../parquet/worker-messages.ts';
import { SpillFile } from '../partition/spill-file.ts';
import { toColumns } from '../field-columns.ts';
import { mergeRuns, type SpilledRun } from './merge-runs.ts';
import { compareRows } from './sort-keys.ts';
import type { SortPlan } from './sort-plan.ts';
import { type KeyedBatch, keyBatches, type RowForm, type Slice, type SortedRun, sortRun } from './sorted-run.ts';

/** What all sorted files of a thread share, so that their number does not multiply what they hold. */
export type SortMemory = { readonly maxBytes: number; files: number };

/** Runs that are merged at once: each has one slice in memory. */
const MERGED_RUNS = 32;
/** While a run is sorted there are the one before it, its rows as they came, one behind the other, and in order. */
const COPIES_OF_RUN = 4;

/**
 * Sorts the rows of a writer's files. Rows are held up to a bound and sorted as a run. While each run comes behind the one before, runs
 * are written as they are: a source in order costs the comparison only. Others are put aside in a spill file and merged at the end.
 */
export class SortedFile {
  readonly #file: RollingFile;
  readonly #memory: SortMemory;
  readonly #form: RowForm;
  readonly #spill = new SpillFile();
  #held: KeyedBatch[] = [];
  #heldBytes = 0;
  /** The last run, which is neither written nor spilled yet. */
  #ready: SortedRun | undefined;
  #spilled: SpilledRun[] = [];
  #isWriting = false;
  #isEnded = false;

  constructor(
    file: RollingFile,
    { fields }: Pick<RollingFileOptions, 'fields'>,
    { plan, memory }: { plan: SortPlan; memory: SortMemory },
  ) {
    this.#file = file;
    this.#memory = memory;
    this.#form = {
      columns: toColumns(fields),
      order: plan.columns,
      schemaMessage: schemaMessage(arrowFieldsWithIds(fields)),
      sliceBytes: memory.maxBytes / COPIES_OF_RUN / MERGED_RUNS,
    };
    memory.files += 1;
  }

  /** Takes rows; the stream's memory is the giver's again. */
  async write(rows: number, body: readonly Uint8Array[]): Promise<void> {
    if (rows === 0) return;
    const stream = copyOf(body);
    this.#held.push(...keyBatches(stream, this.#form));
    this.#heldBytes += stream.length;
    if (this.#heldBytes >= this.#memory.maxBytes / COPIES_OF_RUN / this.#memory.files) await this.#endRun();
  }

  /** Writes what is left, in order, and returns all files. */
  async close(): Promise<DataFile[]> {
    await this.#endRun();
    const ready = this.#ready;
    this.#ready = undefined;
    if (this.#spilled.length === 0) {
      if (ready) await this.#write(ready.slices);
    } else {
      if (ready) await this.#putAside(ready);
      await this.#write(mergeRuns(this.#spilled, this.#spill, this.#form));
    }
    await this.#end();
    return this.#file.close();
  }

  /** Deletes all files of this writer. */
  async abort(): Promise<void> {
    this.#held = [];
    this.#ready = undefined;
    await this.#end();
    await this.#file.abort();
  }

  async #endRun(): Promise<void> {
    const [held, bytes, before] = [this.#held, this.#heldBytes, this.#ready];
    if (held.length === 0) return;
    const run = sortRun(held, bytes, this.#form);
    this.#held = [];
    this.#heldBytes = 0;
    this.#ready = run;
    if (!before) return;
    const follows = compareRows(before.last, before.last.length - 1, run.first, 0) <= 0;
    if (this.#spilled.length > 0 || !(follows || this.#isWriting)) return this.#putAside(before);
    await this.#write(before.slices);
    this.#isWriting = follows;
    // What comes from here on is sorted by itself.
    if (!follows) await this.#file.endFile();
  }

  async #write(slices: Iterable<Slice> | AsyncIterable<Slice>): Promise<void> {
    for await (const { rows, body } of slices) await this.#file.write(rows, body);
  }

  /** Spills a run; when there are enough of them they become one. */
  async #putAside(run: SortedRun): Promise<void> {
    this.#spilled.push(await this.#append(0, run.slices));
    for (let level = 0; ; level++) {
      const same = this.#spilled.filter((spilled) => spilled.level === level);
      if (same.length < MERGED_RUNS) return;
      const merged = await this.#append(level + 1, mergeRuns(same, this.#spill, this.#form));
      this.#spilled = [...this.#spilled.filter((spilled) => spilled.level !== level), merged];
    }
  }

  async #append(level: number, slices: Iterable<Slice> | AsyncIterable<Slice>): Promise<SpilledRun> {
    const pieces: { rows: number; piece: Awaited<ReturnType<SpillFile['append']>> }[] = [];
    for await (const { rows, body } of slices) pieces.push({ rows, piece: await this.#spill.append(body) });
    return { level, slices: pieces };
  }

  async #end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#memory.files -= 1;
    await this.#spill[Symbol.asyncDispose]();
  }
}

/** Rows are kept beyond the call, but the memory that they came in is given back. */
function copyOf(body: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = body;
  return body.length === 1 && first ? first.slice() : wholeStream(body);
}
