import type { DataFile, FileIOProperties, IcebergErrorCode } from '@fjord/iceberg';
import type { ParquetErrorCode } from '@fjord/parquet';
import type { SortPlan } from '../sort/sort-plan.ts';
import type { EncoderOptions } from './encoder.ts';

/**
 * What a worker is started with. For parquet-wasm: its module, compiled once, by the main thread; otherwise our own encoder is used.
 * `sortBytes`: what rows that are sorted may take of the thread's memory.
 */
export type WorkerStart = { wasm: WebAssembly.Module | undefined; sortBytes: number };

/** What one writer writes: its files are `${locationPrefix}-00000.parquet` and so on, each ended once it has `targetFileBytes`. */
export type RollingFileOptions = EncoderOptions & {
  locationPrefix: string;
  targetFileBytes: number;
  io: FileIOProperties;
  sort?: SortedRows | undefined;
};

/** How the rows of files are sorted, and whether they come so; if not, they are sorted by the writer. */
export type SortedRows = SortPlan & { isInOrder: boolean };

/** One call of the main thread. Calls of one writer are worked off in order; each is answered by its number. */
export type WorkerCall = { call: number; writer: number } & (
  | { type: 'open'; options: RollingFileOptions }
  | { type: 'write'; rows: number; body: Uint8Array[] }
  | { type: 'close' }
  | { type: 'abort' }
);

/** Class and code of an error, which it loses on the way between threads. */
export type Fault = { from: 'iceberg'; code: IcebergErrorCode } | { from: 'parquet'; code: ParquetErrorCode };

/** What a worker answers. `memory` is that of a batch, which is encoded. `file` tells of a file that now exists, so that it can be deleted should the worker die. */
export type WorkerAnswer =
  | { type: 'done'; call: number; files: DataFile[]; memory: ArrayBuffer[]; heapBytes: number }
  | { type: 'failed'; call: number; error: Error; fault: Fault | undefined; causes: readonly string[] }
  | { type: 'file'; writer: number; location: string };
