import type { Column } from '../column-type.ts';
import { takeMemory } from '../protocol/body-memory.ts';
import { BatchFrame } from './batch-frame.ts';
import { type ArrowColumn, createColumn } from './columns.ts';

const DEFAULT_CAPACITY = 1024;

/** Gathers the rows of one batch in Arrow buffers. `rows` is counted by whoever fills the columns. */
export class BatchBuilder {
  readonly fields: readonly Column[];
  readonly columns: ArrowColumn[];
  rows = 0;
  readonly #frame: BatchFrame;

  constructor(fields: readonly Column[], { capacityRows = DEFAULT_CAPACITY }: { capacityRows?: number } = {}) {
    this.fields = fields;
    this.columns = fields.map(({ type }) => createColumn(type, capacityRows));
    this.#frame = new BatchFrame(fields);
  }

  /** About how many bytes the batch would have now. */
  get byteLength(): number {
    return this.columns.reduce((sum, column) => sum + column.byteLength, 0);
  }

  /** Makes room for rows below `capacity` in every column. */
  reserve(capacity: number): void {
    for (const column of this.columns) column.reserve(capacity);
  }

  /** The rows as one Arrow IPC stream in memory of its own (it may be transferred, and given back); then the builder is empty. */
  finish(): { rows: number; body: Uint8Array<ArrayBuffer>[] } {
    const { rows } = this;
    const body = [this.#frame.encode(this.columns, rows, takeMemory)];
    this.clear();
    return { rows, body };
  }

  clear(): void {
    this.rows = 0;
    for (const column of this.columns) column.clear();
  }
}
