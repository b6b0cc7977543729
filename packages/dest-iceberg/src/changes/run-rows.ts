import type { ChangeRows } from './change-rows.ts';

/** The batches of one run, of one version of the schema; their rows are numbered through. */
export class RunRows {
  readonly batches: readonly ChangeRows[];
  /** The number of each batch's first row, and last of all how many rows there are. */
  readonly starts: Int32Array;

  constructor(batches: readonly ChangeRows[]) {
    this.batches = batches;
    this.starts = new Int32Array(batches.length + 1);
    for (const [index, { length }] of batches.entries()) this.starts[index + 1] = this.starts[index]! + length;
  }

  get length(): number {
    return this.starts.at(-1) ?? 0;
  }

  /** Which batch a row is in. */
  batchOf(row: number): number {
    let [first, last] = [0, this.batches.length - 1];
    while (first < last) {
      const middle = (first + last + 1) >> 1;
      if (this.starts[middle]! <= row) first = middle;
      else last = middle - 1;
    }
    return first;
  }

  /** A row's batch, and its number there. */
  locate(row: number): { batch: ChangeRows; index: number } {
    const batch = this.batchOf(row);
    return { batch: this.batches[batch]!, index: row - this.starts[batch]! };
  }
}
