import type { Value } from './single-value.ts';

/** What a file holds. */
export type FileContent = 'data' | 'position-deletes' | 'equality-deletes';

/** The partition tuple of a file: values by partition field id, null for null. Empty for an unpartitioned table. */
export type Partition = ReadonlyMap<number, Value | null>;

/**
 * A data or delete file as a manifest describes it (spec: Data File Fields). Plain data: it can be sent between worker threads.
 * Metrics are by field id; bounds are serialized as Appendix D says.
 */
export interface DataFile {
  /** `data` unless said. */
  readonly content?: FileContent;
  readonly filePath: string;
  readonly fileFormat: 'PARQUET' | 'ORC' | 'AVRO' | 'PUFFIN';
  /** The spec that `partition` is of: the table's default unless said. */
  readonly specId?: number;
  readonly partition?: Partition;
  readonly recordCount: bigint;
  readonly fileSizeInBytes: bigint;
  readonly columnSizes?: ReadonlyMap<number, bigint>;
  readonly valueCounts?: ReadonlyMap<number, bigint>;
  readonly nullValueCounts?: ReadonlyMap<number, bigint>;
  readonly nanValueCounts?: ReadonlyMap<number, bigint>;
  readonly lowerBounds?: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds?: ReadonlyMap<number, Uint8Array>;
  readonly keyMetadata?: Uint8Array;
  /** Offsets of the row groups, ascending. */
  readonly splitOffsets?: readonly bigint[];
  /** The columns that an equality delete file compares. */
  readonly equalityIds?: readonly number[];
  readonly sortOrderId?: number;
  /** The one data file that a position delete file is about. */
  readonly referencedDataFile?: string;
  /** Format version 3: the row id of the first row; inherited by files that are added (spec: Row Lineage). */
  readonly firstRowId?: bigint;
  /** Format version 3: where a deletion vector lies within its Puffin file. */
  readonly contentOffset?: bigint;
  readonly contentSizeInBytes?: bigint;
}

/** True for a file of rows, false for a delete file. */
export function isDataFile(file: DataFile): boolean {
  return file.content === undefined || file.content === 'data';
}
