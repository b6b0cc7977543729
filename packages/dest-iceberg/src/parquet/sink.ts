import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { replaceSchemaMessage, schemaMessage } from '@fjord/core/arrow';
import { type DataFile, type FileIOProperties, type NestedField, openFileIO } from '@fjord/iceberg';
import type { Compression, SortedBy } from '@fjord/parquet';
import type { SortPlan } from '../sort/sort-plan.ts';
import { arrowFieldsWithIds } from './arrow-schema.ts';
import type { EncoderName } from './encoder.ts';
import { EncoderThread } from './encoder-thread.ts';
import { compileWasm } from './wasm-module.ts';
import { wholeStream } from './whole-stream.ts';
import type { RollingFileOptions, SortedRows } from './worker-messages.ts';

/** Measured with benchmarks/micro/parquet-sink.ts: half of this costs some 10 % more CPU, four times as much takes twice the heap and saves nothing. */
const ROW_GROUP_ROWS = 262_144;
/** Counted as encoded so far: bounds the memory of a writer whose rows are wide. */
const ROW_GROUP_BYTES = 16 * 1024 * 1024;
/** Batches that wait for a thread: a few keep it busy, more would only take memory. */
const MAX_WAITING_BYTES = 6 * 1024 * 1024;
/** Rows that are being sorted are held in this share of the memory, and beyond it on disk. */
const SORT_SHARE = 1 / 4;
const TARGET_FILE_BYTES = 128 * 1024 * 1024;
/** A WebAssembly heap never shrinks: a thread whose heap has outgrown this is replaced once no writer uses it. */
const MAX_IDLE_HEAP_BYTES = 192 * 1024 * 1024;

/** Options of `openParquetPool`. */
export type ParquetPoolOptions = {
  /** Worker threads at most; the machine's cores unless said. They start when they are needed. */
  workers?: number;
  /** Bytes of batches at most that are handed over and not yet encoded, over all writers. */
  memoryBytes: number;
  /** Storage options (plain JSON) of the locations written to. */
  io: FileIOProperties;
  /** `fjord` unless said. */
  encoder?: EncoderName;
  /** A further file is begun when one has reached this size; 128 MB unless said. */
  targetFileBytes?: number;
  /** A row group ends at this many rows or bytes, whichever comes first. */
  rowGroupRows?: number;
  rowGroupBytes?: number;
  /** The codec of the pages, zstd unless said. */
  compression?: Compression;
  /** Its level; the encoder's default unless said. */
  compressionLevel?: number | undefined;
  /** Whether uuid columns are annotated as Iceberg says (true unless said): plain Spark reads no such files. */
  uuidLogicalType?: boolean;
};

/** Options of one writer. */
export type ParquetFileOptions = {
  /** Files are `${prefix}-<uuid of the writer>-00000.parquet` and so on. */
  prefix: string;
  /** The columns of the batches in their order, with the ids, names and nullability of the table's schema; types are those of the batches. */
  fields: readonly NestedField[];
  /** Storage options of these files where they are not the pool's: a catalog may lend keys for each table. */
  io?: FileIOProperties;
  /** The order of the files' rows, if they have one. */
  sort?: (SortPlan & Partial<Pick<SortedRows, 'isInOrder'>>) | undefined;
};

/** Arrow rows for a writer: one Arrow IPC stream in pieces. Pieces that own their ArrayBuffer are transferred: do not use them afterwards. */
export type ParquetBatch = { rows: number; body: readonly Uint8Array[] };

/** Writes the rows of one open chunk. End it with `close` or `abort`. */
export interface FileWriter {
  /** Hands a batch over; the promise is kept as soon as there is room for the next. The error of an earlier batch is thrown by the next call. */
  write(batch: ParquetBatch): Promise<void>;
  /** Completes the files and returns them, durable and checked; none if there were no rows. After an error call `abort`. */
  close(): Promise<DataFile[]>;
  /** Deletes the files of this writer, closed or not. */
  abort(): Promise<void>;
}

/** Makes Parquet files in worker threads. Disposing of it ends the threads; open writers fail. */
export interface ParquetPool extends AsyncDisposable {
  /** Opens a writer. It stays with one thread; a thread may have several. */
  openFile(options: ParquetFileOptions): FileWriter;
}

/** Opens a pool of encoder threads; the first one starts with the first writer. */
export function openParquetPool(options: ParquetPoolOptions): ParquetPool {
  return new Pool(options);
}

class Pool implements ParquetPool {
  readonly #options: ParquetPoolOptions;
  readonly #workers: number;
  readonly #maxBytesInFlight: number;
  readonly #threads = new Map<EncoderThread, Set<number>>();
  #lastWriter = 0;

  constructor(options: ParquetPoolOptions) {
    this.#options = options;
    this.#workers = options.workers ?? availableParallelism();
    this.#maxBytesInFlight = Math.min(MAX_WAITING_BYTES, options.memoryBytes / this.#workers);
  }

  openFile(options: ParquetFileOptions): FileWriter {
    const writer = ++this.#lastWriter;
    const thread = this.#pickThread();
    this.#threads.get(thread)?.add(writer);
    const rolling = rollingFileOptions(this.#options, options);
    return new PooledWriter({ thread, writer, rolling, onEnd: () => this.#end(thread, writer) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = [...this.#threads.keys()];
    this.#threads.clear();
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  /** The thread with the fewest writers; a new one while there are fewer threads than allowed and none is idle. */
  #pickThread(): EncoderThread {
    for (const thread of this.#threads.keys()) if (thread.isDead) this.#threads.delete(thread);
    const [best] = [...this.#threads].toSorted(
      ([a, writersOfA], [b, writersOfB]) => writersOfA.size - writersOfB.size || a.bytesInFlight - b.bytesInFlight,
    );
    if (best && (best[1].size === 0 || this.#threads.size >= this.#workers)) return best[0];
    const thread = new EncoderThread(
      WORKER_SCRIPT,
      {
        wasm: this.#options.encoder === 'parquet-wasm' ? compileWasm() : undefined,
        sortBytes: (this.#options.memoryBytes * SORT_SHARE) / this.#workers,
      },
      this.#maxBytesInFlight,
    );
    this.#threads.set(thread, new Set());
    return thread;
  }

  async #end(thread: EncoderThread, writer: number): Promise<void> {
    thread.forget(writer);
    const writers = this.#threads.get(thread);
    writers?.delete(writer);
    if (writers?.size !== 0 || thread.heapBytes <= MAX_IDLE_HEAP_BYTES) return;
    this.#threads.delete(thread);
    await thread.terminate();
  }
}

function rollingFileOptions(
  pool: ParquetPoolOptions,
  { prefix, fields, io, sort }: ParquetFileOptions,
): RollingFileOptions {
  return {
    ...(sort && { sort: { isInOrder: false, ...sort }, sortedBy: sortedBy(sort) }),
    locationPrefix: `${prefix}-${randomUUID()}`,
    io: io ?? pool.io,
    fields,
    targetFileBytes: pool.targetFileBytes ?? TARGET_FILE_BYTES,
    rowGroupRows: pool.rowGroupRows ?? ROW_GROUP_ROWS,
    rowGroupBytes: pool.rowGroupBytes ?? ROW_GROUP_BYTES,
    compression: pool.compression ?? 'zstd',
    compressionLevel: pool.compressionLevel,
    uuidLogicalType: pool.uuidLogicalType ?? true,
  };
}

/** The order as Parquet can say it: by columns as they are, up to the first transform. */
function sortedBy({ columns }: SortPlan): SortedBy[] {
  const transformed = columns.findIndex(({ transform }) => transform !== 'identity');
  return columns
    .slice(0, transformed < 0 ? undefined : transformed)
    .map(({ name, isDescending, nullsFirst }) => ({ column: name, isDescending, nullsFirst }));
}

type PooledWriterParts = {
  thread: EncoderThread;
  writer: number;
  rolling: RollingFileOptions;
  onEnd: () => Promise<void>;
};

class PooledWriter implements FileWriter {
  readonly #parts: PooledWriterParts;
  readonly #thread: EncoderThread;
  readonly #writer: number;
  readonly #schemaMessage: Uint8Array;
  #failure: unknown;
  #isEnded = false;
  #closed: readonly DataFile[] = [];

  constructor(parts: PooledWriterParts) {
    this.#parts = parts;
    this.#thread = parts.thread;
    this.#writer = parts.writer;
    this.#schemaMessage = schemaMessage(arrowFieldsWithIds(parts.rolling.fields));
    this.#observe(this.#thread.call({ type: 'open', writer: this.#writer, options: parts.rolling }));
  }

  async write({ rows, body }: ParquetBatch): Promise<void> {
    this.#throwIfFailed();
    const stream = wholeStream(body);
    const bytes = stream.length;
    await this.#thread.reserve(bytes);
    const pieces = replaceSchemaMessage(stream, this.#schemaMessage);
    const call = this.#thread.call({ type: 'write', writer: this.#writer, rows, body: pieces }, [stream.buffer]);
    this.#observe(call.finally(() => this.#thread.release(bytes)));
  }

  async close(): Promise<DataFile[]> {
    this.#throwIfFailed();
    const files = await this.#thread.call({ type: 'close', writer: this.#writer });
    this.#throwIfFailed();
    this.#closed = files;
    await this.#end();
    return files;
  }

  async abort(): Promise<void> {
    if (!this.#isEnded && !this.#thread.isDead) {
      await this.#thread.call({ type: 'abort', writer: this.#writer }).catch(() => this.#deleteAll());
    } else await this.#deleteAll();
    await this.#end();
  }

  /** What the thread can no longer delete itself. */
  async #deleteAll(): Promise<void> {
    const io = openFileIO(this.#parts.rolling.locationPrefix, this.#parts.rolling.io);
    const closed = this.#closed.map((file) => file.filePath);
    for (const location of [...closed, ...this.#thread.locationsOf(this.#writer)]) await io.delete(location);
  }

  async #end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#parts.onEnd();
  }

  #observe(call: Promise<unknown>): void {
    call.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const WORKER_SCRIPT = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
