import type { NestedField } from '@fjord/iceberg';
import type { Compression, SortedBy } from '@fjord/parquet';
import type { FileMetrics } from './metrics.ts';

/** Who encodes: `fjord` is our own encoder, `parquet-wasm` the Rust one in WebAssembly. */
export type EncoderName = 'fjord' | 'parquet-wasm';

/** What one Parquet file is made with. Plain data: it is sent to worker threads. */
export type EncoderOptions = {
  /** The columns of the batches in their order, with the ids, names and nullability of the table's schema; types are those of the batches. */
  fields: readonly NestedField[];
  /** Columns by which the rows that come are sorted, as the file's footer says; parquet-wasm says nothing. */
  sortedBy?: readonly SortedBy[];
  /** A row group ends at this many rows or bytes, whichever comes first. */
  rowGroupRows: number;
  rowGroupBytes: number;
  /** The codec of the pages. */
  compression: Compression;
  /** The codec's level, its own default unless said; parquet-wasm knows none. */
  compressionLevel?: number | undefined;
  /** Whether uuid columns are annotated; parquet-wasm never does. */
  uuidLogicalType?: boolean;
};

/** What a finished file holds, by the encoder's own count. */
export type EncodedFile = { rowCount: bigint; metrics: FileMetrics };

/** Makes one Parquet file: Arrow IPC streams in, the file's bytes out through `take`. */
export interface ParquetEncoder {
  /** Encodes one Arrow IPC stream, given in pieces, whose schema carries the field ids; gives its row count once the bytes are no longer needed. */
  write(stream: readonly Uint8Array[]): Promise<number>;
  /** Writes what is left and the footer. */
  close(): Promise<EncodedFile>;
  /** Releases all memory; what was written so far is of no use. */
  abort(): Promise<void>;
}

/** Takes a file's bytes in order; wait for the promise before the next ones. True if their memory is the giver's again. */
export type TakeBytes = (bytes: Uint8Array) => Promise<boolean>;

/** Opens an encoder of one file, whose bytes `take` gets. */
export type OpenEncoder = (options: EncoderOptions, take: TakeBytes) => Promise<ParquetEncoder>;
