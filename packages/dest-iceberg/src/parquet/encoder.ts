import type { NestedField } from '@fjord/iceberg';

/** Codecs of Parquet pages. */
export type Compression = 'zstd' | 'snappy' | 'gzip' | 'none';

/** What one Parquet file is made with. Plain data: it is sent to worker threads. */
export type EncoderOptions = {
  /** The columns of the batches in their order, with the ids, names and nullability of the table's schema; types are those of the batches. */
  fields: readonly NestedField[];
  /** A row group ends at this many rows or bytes, whichever comes first. */
  rowGroupRows: number;
  rowGroupBytes: number;
  /** Columns (top-level names) whose values hardly repeat: encoded without a dictionary. */
  plainColumns: readonly string[];
  /** The codec of the pages. */
  compression: Compression;
};

/** Makes one Parquet file: Arrow IPC streams in, the file's bytes out through `onChunk`. */
export interface ParquetEncoder {
  /** Encodes one Arrow IPC stream, given in pieces, whose schema carries the field ids; gives its row count once the bytes are no longer needed. */
  write(stream: readonly Uint8Array[]): Promise<number>;
  /** Writes what is left and the footer. */
  close(): Promise<void>;
  /** Releases all memory; what was written so far is of no use. */
  abort(): Promise<void>;
}

/** Opens an encoder; `onChunk` gets the file's bytes in order and holds the encoder back until its promise is kept. */
export type OpenEncoder = (options: EncoderOptions, onChunk: (bytes: Uint8Array) => Promise<void>) => ParquetEncoder;
