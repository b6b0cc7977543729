import { type DataFile, type FileIO, type FileWriter, IcebergError, type PrimitiveType } from '@fjord/iceberg';
import type { OpenEncoder, ParquetEncoder } from './encoder.ts';
import { readFooter } from './footer.ts';
import { fileMetrics, leafTypes } from './metrics.ts';
import type { RollingFileOptions } from './worker-messages.ts';

/** Writes batches to Parquet files, beginning a further file whenever the target size is reached. Nothing is written for no rows. */
export class RollingFile {
  readonly #options: RollingFileOptions;
  readonly #openEncoder: OpenEncoder;
  readonly #io: FileIO;
  readonly #types: ReadonlyMap<number, PrimitiveType>;
  readonly #onFile: (location: string) => void;
  readonly #finished: DataFile[] = [];
  #current: ParquetFile | undefined;
  #count = 0;

  constructor(options: RollingFileOptions, openEncoder: OpenEncoder, io: FileIO, onFile: (location: string) => void) {
    this.#options = options;
    this.#openEncoder = openEncoder;
    this.#io = io;
    this.#types = leafTypes(options.fields);
    this.#onFile = onFile;
  }

  async write(rows: number, body: readonly Uint8Array[]): Promise<void> {
    if (rows === 0) return;
    this.#current ??= await this.#openNext();
    await this.#current.write(rows, body);
    if (this.#current.length >= this.#options.targetFileBytes) await this.#finish(this.#current);
  }

  /** Ends the last file and returns all, in order. */
  async close(): Promise<DataFile[]> {
    if (this.#current) await this.#finish(this.#current);
    return this.#finished;
  }

  /** Deletes all files of this writer. */
  async abort(): Promise<void> {
    await this.#current?.abort();
    this.#current = undefined;
    for (const file of this.#finished) await this.#io.delete(file.filePath);
  }

  async #finish(file: ParquetFile): Promise<void> {
    this.#finished.push(await file.close(this.#types));
    this.#current = undefined;
  }

  async #openNext(): Promise<ParquetFile> {
    const location = `${this.#options.locationPrefix}-${String(this.#count++).padStart(5, '0')}.parquet`;
    const writer = await this.#io.createWriter(location);
    this.#onFile(location);
    return new ParquetFile(location, writer, (onChunk) => this.#openEncoder(this.#options, onChunk));
  }
}

class ParquetFile {
  readonly #location: string;
  readonly #writer: FileWriter;
  readonly #encoder: ParquetEncoder;
  #rows = 0n;
  #length = 0;
  #lastChunk: Uint8Array = new Uint8Array();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    location: string,
    writer: FileWriter,
    openEncoder: (onChunk: (bytes: Uint8Array) => Promise<void>) => ParquetEncoder,
  ) {
    this.#location = location;
    this.#writer = writer;
    this.#encoder = openEncoder((bytes) => this.#take(bytes));
  }

  /** Bytes of the row groups that are complete. */
  get length(): number {
    return this.#length;
  }

  async write(rows: number, body: readonly Uint8Array[]): Promise<void> {
    this.#rows += BigInt(rows);
    const encoded = await this.#encoder.write(body);
    if (encoded !== rows) throw new Error(`A batch said to have ${rows} rows has ${encoded}.`);
  }

  async close(types: ReadonlyMap<number, PrimitiveType>): Promise<DataFile> {
    await this.#encoder.close();
    await this.#writing;
    const metrics = this.#checkedMetrics(types);
    await this.#writer.close();
    return {
      content: 'data',
      filePath: this.#location,
      fileFormat: 'PARQUET',
      recordCount: this.#rows,
      fileSizeInBytes: BigInt(this.#length),
      ...metrics,
    };
  }

  async abort(): Promise<void> {
    await this.#encoder.abort();
    await this.#writing.catch(() => {});
    await this.#writer.abort();
  }

  /** The next row group is encoded while this one is stored; at most two are held. */
  async #take(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    this.#length += bytes.length;
    this.#lastChunk = bytes;
    this.#writing = this.#writer.write(bytes);
    this.#writing.catch(() => {});
  }

  /** An encoder may end early without an error: only the footer tells that every row is in the file. */
  #checkedMetrics(types: ReadonlyMap<number, PrimitiveType>) {
    const footer = readFooter(this.#lastChunk);
    if (!footer) throw new Error(`The footer of "${this.#location}" is longer than the last piece of the file.`);
    if (footer.rowCount !== this.#rows) {
      throw new IcebergError(
        'storage_failed',
        `"${this.#location}" holds ${footer.rowCount} rows, but ${this.#rows} were written to it.`,
      );
    }
    return fileMetrics(footer, types);
  }
}
