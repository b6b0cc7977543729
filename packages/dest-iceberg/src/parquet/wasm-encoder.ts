import {
  Compression,
  EnabledStatistics,
  type RecordBatch,
  Table,
  transformParquetStream,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm/esm';
import { IcebergError } from '@fjord/iceberg';
import { readFooter } from '@fjord/parquet';
import type { EncodedFile, EncoderOptions, OpenEncoder, ParquetEncoder, TakeBytes } from './encoder.ts';
import { footerMetrics } from './footer-metrics.ts';
import { leafTypes } from './metrics.ts';

export { startWasm, wasmMemoryBytes } from './wasm.ts';

/**
 * A column whose dictionary outgrows this is encoded plainly from there on. With the usual 1 MB, keys and timestamps fill a dictionary
 * in every row group for nothing: 25 % more CPU and larger files.
 */
const DICTIONARY_BYTES = 64 * 1024;

/** The encoder that uses parquet-wasm: zstd level 1, every type. `startWasm` comes first. */
export const openWasmEncoder: OpenEncoder = (options, take) => Promise.resolve(new WasmEncoder(options, take));

class WasmEncoder implements ParquetEncoder {
  readonly #options: EncoderOptions;
  readonly #output: Promise<void>;
  #rows = 0n;
  #lastChunk = new Uint8Array();
  #length = 0;
  #input: ReadableStreamDefaultController<RecordBatch> | undefined;
  #wanted = Promise.withResolvers<void>();
  #isEnded = false;

  constructor(options: EncoderOptions, take: TakeBytes) {
    this.#options = options;
    const batches = new ReadableStream<RecordBatch>(
      {
        start: (controller) => {
          this.#input = controller;
        },
        pull: () => this.#wanted.resolve(),
      },
      // Nothing waits inside: a pull means that the last batch is encoded.
      { highWaterMark: 0 },
    );
    this.#output = this.#drain(transformParquetStream(batches, writerProperties(options)), take);
    this.#output.catch(() => {});
  }

  async write(stream: readonly Uint8Array[]): Promise<number> {
    const batches = decode(stream);
    let rows = 0;
    for (const batch of batches) {
      rows += batch.numRows;
      await this.#encode(batch);
    }
    await this.#untilWanted();
    this.#rows += BigInt(rows);
    return rows;
  }

  /** An encoder may end early without an error: only the footer tells that every row is in the file. */
  async close(): Promise<EncodedFile> {
    await this.#untilWanted();
    this.#input?.close();
    await this.#output;
    const footer = readFooter(this.#lastChunk, this.#length);
    if (!footer) throw new Error('The footer of a Parquet file is longer than the last piece of the file.');
    if (footer.rowCount !== this.#rows) {
      const message = `A Parquet file holds ${footer.rowCount} rows, but ${this.#rows} were written to it.`;
      throw new IcebergError('storage_failed', message);
    }
    return { rowCount: footer.rowCount, metrics: footerMetrics(footer, leafTypes(this.#options.fields)) };
  }

  async abort(): Promise<void> {
    if (this.#isEnded) return;
    // An error in the input makes the Rust side drop its buffers and end its output.
    this.#input?.error(new Error('the file was given up'));
    await this.#output.catch(() => {});
  }

  async #encode(batch: RecordBatch): Promise<void> {
    await this.#untilWanted();
    this.#wanted = Promise.withResolvers<void>();
    this.#input?.enqueue(batch);
  }

  async #untilWanted(): Promise<void> {
    await Promise.race([this.#wanted.promise, this.#output]);
    if (this.#isEnded) throw new Error('the Parquet encoder ended before its input did');
  }

  async #drain(output: Promise<ReadableStream>, take: TakeBytes): Promise<void> {
    try {
      // The next row group is encoded while one is stored; at most two are held.
      let storing: Promise<unknown> = Promise.resolve();
      for await (const chunk of await output) {
        this.#lastChunk = asBytes(chunk);
        this.#length += this.#lastChunk.length;
        await storing;
        storing = take(this.#lastChunk);
        storing.catch(() => {});
      }
      await storing;
    } finally {
      this.#isEnded = true;
    }
  }
}

/** Moves an IPC stream into the WebAssembly heap, and gives its memory back at once: a quiet thread collects garbage too late. */
function decode(stream: readonly Uint8Array[]): RecordBatch[] {
  const bytes = new Uint8Array(stream.reduce((total, piece) => total + piece.length, 0));
  let end = 0;
  for (const piece of stream) {
    bytes.set(piece, end);
    end += piece.length;
    release(piece);
  }
  const table = Table.fromIPCStream(bytes);
  release(bytes);
  const batches = table.recordBatches();
  table.free();
  return batches;
}

/** Detaches the buffer, which frees it now. It must not be one of Node's pool: here all came from another thread or are our own. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

function asBytes(chunk: unknown): Uint8Array<ArrayBuffer> {
  if (chunk instanceof Uint8Array && chunk.buffer instanceof ArrayBuffer)
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
  throw new Error('the Parquet encoder gave out something else than bytes');
}

const CODECS = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
} as const;

function writerProperties(options: EncoderOptions): WriterProperties {
  return new WriterPropertiesBuilder()
    .setCompression(CODECS[options.compression])
    .setStatisticsEnabled(EnabledStatistics.Chunk)
    .setMaxRowGroupSize(options.rowGroupRows)
    .setMaxRowGroupBytes(options.rowGroupBytes)
    .setDictionaryPageSizeLimit(DICTIONARY_BYTES)
    .build();
}
