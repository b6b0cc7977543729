import type { SpillFile, SpilledPiece } from '../partition/spill-file.ts';
import { compareRows } from './sort-keys.ts';
import { joinRows, type KeyedBatch, keyBatches, pickRows, type RowForm, type Slice } from './sorted-run.ts';

/** A run that lies in a spill file, slice by slice. `level`: how often its rows were merged. */
export type SpilledRun = { readonly level: number; readonly slices: readonly { rows: number; piece: SpilledPiece }[] };

/** Merges runs into one, given out in slices. Held are one slice of each run and what is given out. */
export async function* mergeRuns(runs: readonly SpilledRun[], spill: SpillFile, form: RowForm): AsyncGenerator<Slice> {
  const opened = await Promise.all(runs.map((run) => Cursor.open(run, spill, form)));
  const heap = opened.filter((cursor) => !cursor.isDone);
  for (let root = (heap.length >> 1) - 1; root >= 0; root--) sink(heap, root);
  let taken: Cursor[] = [];
  while (heap.length > 0) {
    const cursor = heap[0]!;
    taken.push(cursor);
    if (!cursor.next()) {
      // Its slice is used up: what was taken of the others goes out with it.
      yield mergeTaken(taken, form);
      taken = [];
      await cursor.load();
    }
    if (cursor.isDone) {
      const last = heap.pop()!;
      if (heap.length === 0) break;
      heap[0] = last;
    }
    sink(heap, 0);
  }
}

/** A run that is being read: the slice at hand, the rows of it that are next and that were given out. */
class Cursor {
  readonly #run: SpilledRun;
  readonly #spill: SpillFile;
  readonly #form: RowForm;
  #slice = 0;
  #batch: KeyedBatch | undefined;
  #row = 0;
  #given = 0;

  private constructor(run: SpilledRun, spill: SpillFile, form: RowForm) {
    this.#run = run;
    this.#spill = spill;
    this.#form = form;
  }

  static async open(run: SpilledRun, spill: SpillFile, form: RowForm): Promise<Cursor> {
    const cursor = new Cursor(run, spill, form);
    await cursor.load();
    return cursor;
  }

  get isDone(): boolean {
    return this.#batch === undefined;
  }

  /** Goes on to the next slice. */
  async load(): Promise<void> {
    const next = this.#run.slices[this.#slice++];
    [this.#batch] = next ? keyBatches(await this.#spill.read(next.piece), this.#form) : [];
    this.#row = 0;
    this.#given = 0;
  }

  /** Goes on to the next row; false at the slice's end. */
  next(): boolean {
    this.#row += 1;
    return this.#row < (this.#batch?.rows ?? 0);
  }

  isBefore(other: Cursor): boolean {
    return compareRows(this.#batch!.keys, this.#row, other.#batch!.keys, other.#row) < 0;
  }

  /** The rows that were gone past since the last call. */
  give(): { rows: KeyedBatch['columns']; indices: Int32Array } {
    const [start, batch] = [this.#given, this.#batch!];
    this.#given = this.#row;
    return { rows: batch.columns, indices: Int32Array.from({ length: this.#row - start }, (_, row) => start + row) };
  }
}

/** The rows of cursors in the order in which they were taken. */
function mergeTaken(taken: readonly Cursor[], form: RowForm): Slice {
  const next = new Map<Cursor, number>();
  const selections = [...new Set(taken)].map((cursor) => ({ cursor, ...cursor.give() }));
  let start = 0;
  for (const { cursor, indices } of selections) {
    next.set(cursor, start);
    start += indices.length;
  }
  const order = new Int32Array(taken.length);
  for (const [at, cursor] of taken.entries()) {
    const row = next.get(cursor)!;
    order[at] = row;
    next.set(cursor, row + 1);
  }
  return pickRows(joinRows(selections, form), order, form);
}

/** Lets a cursor go down the heap until none below it is before it. */
function sink(heap: Cursor[], root: number): void {
  for (;;) {
    let first = root;
    for (const child of [2 * root + 1, 2 * root + 2]) {
      if (child < heap.length && heap[child]!.isBefore(heap[first]!)) first = child;
    }
    if (first === root) return;
    [heap[root], heap[first]] = [heap[first]!, heap[root]!];
    root = first;
  }
}
