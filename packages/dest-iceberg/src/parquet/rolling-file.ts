import { type DataFile, type FileIO, type FileWriter, IcebergError } from '@fjord/iceberg/data-file-writing';
import type { OpenEncoder, ParquetEncoder, TakeBytes } from './encoder.ts';
import type { RollingFileOptions } from './worker-messages.ts';

/** Writes batches to Parquet files, beginning a further file whenever the target size is reached. Nothing is written for no rows. */
export class RollingFile {
  readonly #options: RollingFileOptions;
  readonly #openEncoder: OpenEncoder;
  readonly #io: FileIO;
  readonly #onFile: (location: string) => void;
  readonly #finished: DataFile[] = [];
  #current: ParquetFile | undefined;
  #count = 0;

  constructor(options: RollingFileOptions, openEncoder: OpenEncoder, io: FileIO, onFile: (location: string) => void) {
    this.#options = options;
    this.#openEncoder = openEncoder;
    this.#io = io;
    this.#onFile = onFile;
  }

  async write(rows: number, body: readonly Uint8Array[]): Promise<void> {
    if (rows === 0) return;
    this.#current ??= await this.#openNext();
    await this.#current.write(rows, body);
    if (this.#current.length >= this.#options.targetFileBytes) await this.#finish(this.#current);
  }

  /** Ends the file that is open; what follows goes into another. */
  async endFile(): Promise<void> {
    if (this.#current) await this.#finish(this.#current);
  }

  /** Ends the last file and returns all, in order. */
  async close(): Promise<DataFile[]> {
    await this.endFile();
    return this.#finished;
  }

  /** Deletes all files of this writer. */
  async abort(): Promise<void> {
    await this.#current?.abort();
    this.#current = undefined;
    for (const file of this.#finished) await this.#io.delete(file.filePath);
  }

  async #finish(file: ParquetFile): Promise<void> {
    const { sort } = this.#options;
    this.#finished.push({ ...(await file.close()), ...(sort && { sortOrderId: sort.orderId }) });
    this.#current = undefined;
  }

  async #openNext(): Promise<ParquetFile> {
    const location = `${this.#options.locationPrefix}-${String(this.#count++).padStart(5, '0')}.parquet`;
    const writer = await this.#io.createWriter(location);
    this.#onFile(location);
    return ParquetFile.open(location, writer, (take) => this.#openEncoder(this.#options, take));
  }
}

class ParquetFile {
  readonly #location: string;
  readonly #writer: FileWriter;
  #encoder: ParquetEncoder | undefined;
  #rows = 0n;
  #length = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(location: string, writer: FileWriter) {
    this.#location = location;
    this.#writer = writer;
  }

  static async open(
    location: string,
    writer: FileWriter,
    openEncoder: (take: TakeBytes) => Promise<ParquetEncoder>,
  ): Promise<ParquetFile> {
    const file = new ParquetFile(location, writer);
    try {
      file.#encoder = await openEncoder((bytes) => file.#take(bytes));
    } catch (error) {
      await writer.abort();
      throw error;
    }
    return file;
  }

  /** Bytes of the row groups that are complete. */
  get length(): number {
    return this.#length;
  }

  async write(rows: number, body: readonly Uint8Array[]): Promise<void> {
    this.#rows += BigInt(rows);
    const encoded = await this.#openEncoder.write(body);
    if (encoded !== rows) throw new Error(`A batch said to have ${rows} rows has ${encoded}.`);
  }

  async close(): Promise<DataFile> {
    const { rowCount, metrics } = await this.#openEncoder.close();
    await this.#writing;
    if (rowCount !== this.#rows) {
      const message = `"${this.#location}" holds ${rowCount} rows, but ${this.#rows} were written to it.`;
      throw new IcebergError('storage_failed', message);
    }
    await this.#writer.close();
    return {
      content: 'data',
      filePath: this.#location,
      fileFormat: 'PARQUET',
      recordCount: rowCount,
      fileSizeInBytes: BigInt(this.#length),
      ...metrics,
    };
  }

  async abort(): Promise<void> {
    await this.#openEncoder.abort();
    await this.#writing.catch(() => {});
    await this.#writer.abort();
  }

  get #openEncoder(): ParquetEncoder {
    if (this.#encoder) return this.#encoder;
    throw new Error('a Parquet file is used before it is open');
  }

  async #take(bytes: Uint8Array): Promise<boolean> {
    this.#length += bytes.length;
    const writing = this.#writer.write(bytes);
    this.#writing = writing;
    await writing;
    return this.#writer.givesBack ?? false;
  }
}
