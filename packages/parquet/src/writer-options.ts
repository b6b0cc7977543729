import type { Compression } from './compression.ts';
import { ParquetError } from './errors.ts';
import type { Encodings } from './value-encoder.ts';

/** A column by which the rows are sorted already; it is noted in the file. */
export type SortedBy = { column: string; isDescending?: boolean; nullsFirst?: boolean };

/** Options of `openParquetWriter`. Columns are named by their path, joined by dots: `tags.list.element`. */
export type ParquetWriterOptions = {
  /** Takes the file's bytes in order; they are the taker's then. The next row group is encoded while its promise is open. */
  write(bytes: Uint8Array): Promise<void> | void;
  /** `zstd` unless said. */
  compression?: Compression;
  /** The codec's own level; 1 for zstd, 6 for gzip unless said. */
  compressionLevel?: number;
  /** A row group ends at this many rows (1,048,576 unless said) or about so many bytes in the file (64 MB unless said). */
  rowGroupRows?: number;
  rowGroupBytes?: number;
  /** A page ends at about so many bytes before compression (256 KB unless said), or earlier, so that all pages that are being filled together take at most `bufferBytes` (64 MB unless said). */
  pageBytes?: number;
  bufferBytes?: number;
  /** Columns without a dictionary, all for `false`. Others get one while a sample says that it pays. */
  plainColumns?: readonly string[] | false;
  /** How values without a dictionary are encoded; PLAIN unless said. */
  encodings?: Partial<Encodings>;
  /** Columns that get a bloom filter. */
  bloomFilters?: readonly string[];
  sortedBy?: readonly SortedBy[];
  keyValueMetadata?: Readonly<Record<string, string>>;
  /** Whether to write the page index (true unless said) and a CRC of each page (true unless said). */
  pageIndex?: boolean;
  pageChecksums?: boolean;
  /** Whether columns marked `arrow.uuid` get the logical type UUID (true unless said); plain Spark cannot read it, Iceberg asks for it. */
  uuidLogicalType?: boolean;
};

/** The options with their defaults. */
export type CompleteOptions = Required<
  Omit<ParquetWriterOptions, 'compressionLevel' | 'encodings' | 'plainColumns'>
> & {
  compressionLevel: number | undefined;
  encodings: Encodings;
  plainColumns: readonly string[] | false;
};

const MEGABYTE = 1024 * 1024;
const DEFAULTS = {
  compression: 'zstd',
  compressionLevel: undefined,
  rowGroupRows: MEGABYTE,
  rowGroupBytes: 64 * MEGABYTE,
  // Larger pages gain neither time nor size, and take their memory in every column.
  pageBytes: MEGABYTE / 4,
  bufferBytes: 64 * MEGABYTE,
  plainColumns: [],
  bloomFilters: [],
  sortedBy: [],
  keyValueMetadata: {},
  pageIndex: true,
  pageChecksums: true,
  uuidLogicalType: true,
} as const;

const SIZES = ['rowGroupRows', 'rowGroupBytes', 'pageBytes', 'bufferBytes'] as const;

/** Puts in the defaults. Throws `invalid_option` for sizes that are no positive integers. */
export function completeOptions(options: ParquetWriterOptions): CompleteOptions {
  for (const name of SIZES) {
    const size = options[name];
    if (size === undefined || (Number.isSafeInteger(size) && size > 0)) continue;
    throw new ParquetError('invalid_option', `Option ${name} must be a positive integer.`);
  }
  const encodings: Encodings = { integers: 'plain', byteArrays: 'plain', floats: 'plain', ...options.encodings };
  return { ...DEFAULTS, ...options, encodings };
}
