import type { RowGroupMetadata } from './footer.ts';
import type { EncodedChunk } from './column-chunk.ts';
import type { ParquetSchema, Leaf } from './schema.ts';
import { type Bounds, type BoundValue, boundValue, mergeBounds } from './statistics/bounds.ts';

/** Statistics of a leaf over the whole file, merged by its own order. */
export type ColumnStatistics = {
  /** Names from the top. */
  path: readonly string[];
  fieldId: number | undefined;
  /** Whether it lies in a list or map. */
  isRepeated: boolean;
  /** Bytes in the file. */
  compressedBytes: number;
  uncompressedBytes: number;
  /** Values with nulls (and, in lists, empty lists), and how many of them are null. */
  valueCount: number;
  nullCount: number;
  /** Of floating point columns. */
  nanCount: number | undefined;
  /** Bounds of the values, NaN left out; byte arrays longer than 64 bytes shortened, so that they still are bounds. Undefined if there are none. */
  lower: BoundValue | undefined;
  upper: BoundValue | undefined;
};

/** What a finished file is: what its footer says, without reading it. */
export type FileMetadata = {
  rowCount: number;
  byteLength: number;
  /** Where each row group begins. */
  splitOffsets: readonly number[];
  columns: readonly ColumnStatistics[];
};

/** Gathers the statistics of a file while its row groups are written. */
export class FileStatistics {
  readonly #leaves: readonly Leaf[];
  readonly #bounds: (Bounds | undefined)[];
  readonly #nanCounts: (number | undefined)[];

  constructor({ leaves }: ParquetSchema) {
    this.#leaves = leaves;
    this.#bounds = leaves.map(() => undefined);
    this.#nanCounts = leaves.map(() => undefined);
  }

  addRowGroup(chunks: readonly EncodedChunk[]): void {
    for (const [index, { bounds, nanCount }] of chunks.entries()) {
      const leaf = this.#leaves[index];
      if (leaf) this.#bounds[index] = mergeBounds(leaf.type.order, this.#bounds[index], bounds);
      if (nanCount !== undefined) this.#nanCounts[index] = (this.#nanCounts[index] ?? 0) + nanCount;
    }
  }

  columns(rowGroups: readonly RowGroupMetadata[]): ColumnStatistics[] {
    return this.#leaves.map(({ path, fieldId, isRepeated, type }, index) => {
      const chunks = rowGroups.flatMap((group) => group.chunks[index] ?? []);
      const bounds = this.#bounds[index];
      return {
        path,
        fieldId,
        isRepeated,
        compressedBytes: chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
        uncompressedBytes: chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
        valueCount: chunks.reduce((sum, chunk) => sum + chunk.valueCount, 0),
        nullCount: chunks.reduce((sum, chunk) => sum + chunk.nullCount, 0),
        nanCount: this.#nanCounts[index],
        lower: bounds && boundValue(type.order, bounds.min),
        upper: bounds?.max && boundValue(type.order, bounds.max),
      };
    });
  }
}
