import type { Column } from '@fjord/core';
import { type ArrowColumn, BatchBuilder } from '@fjord/core/arrow';
import type { EncodedBatch } from './database.ts';
import type { Rejections } from './rejections.ts';

/** Offsets of one run of rows: few enough to stay in the processor's cache together with the bytes. */
const MAX_OFFSETS = 64 * 1024;
const MAX_RUN_ROWS = 4096;
/** Larger batches gain nothing in encoding or framing. */
const MAX_BATCH_ROWS = 65_536;

/** Decodes one field of a run of rows into a column. Rows from `base` on have room; validity bits there are 0. */
type ColumnDecoder<Fields> = (
  run: { fields: Fields; field: number; rows: number; base: number },
  column: ArrowColumn,
) => void;

type Parts<Fields> = {
  decoders: readonly ColumnDecoder<Fields>[];
  rejections: readonly Rejections[];
  batchBytes: number;
};

/** How many rows of so many columns are noted before they are decoded. */
export function rowsOfRun(columns: number): number {
  return Math.max(1, Math.min(MAX_RUN_ROWS, Math.floor(MAX_OFFSETS / Math.max(1, columns))));
}

/** Turns runs of rows, whose fields were noted where they lie, into Arrow batches: column by column, in loops over one type. */
export class RowRuns<Fields> {
  readonly #builder: BatchBuilder;
  readonly #parts: Parts<Fields>;
  #batches: EncodedBatch[] = [];

  constructor(columns: readonly Column[], parts: Parts<Fields>) {
    this.#builder = new BatchBuilder(columns);
    this.#parts = parts;
  }

  /** Decodes the noted rows. */
  decode(rows: number, fields: Fields): void {
    const builder = this.#builder;
    const { decoders, batchBytes } = this.#parts;
    const base = builder.rows;
    builder.reserve(base + rows);
    for (const [field, decode] of decoders.entries()) {
      const column = builder.columns[field]!;
      decode({ fields, field, rows, base }, column);
      column.length = base + rows;
    }
    builder.rows = base + rows;
    if (builder.rows >= MAX_BATCH_ROWS || builder.byteLength >= batchBytes) this.#finishBatch();
  }

  /** The batches that are complete, each once. */
  take(): EncodedBatch[] {
    return this.#batches.splice(0);
  }

  /** The last batches, the rows that none holds yet among them. */
  end(): EncodedBatch[] {
    if (this.#builder.rows > 0 || this.#parts.rejections.some(({ count }) => count > 0)) this.#finishBatch();
    return this.take();
  }

  #finishBatch(): void {
    const rejected: Record<string, number> = {};
    for (const rejections of this.#parts.rejections) {
      if (rejections.count > 0) rejected[rejections.path] = rejections.count;
      rejections.count = 0;
    }
    this.#batches.push({ ...this.#builder.finish(), rejected });
  }
}
