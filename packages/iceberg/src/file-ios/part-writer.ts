import { IcebergError } from '../errors.ts';
import type { FileWriter } from '../file-io.ts';

/** How a store takes one file in parts. All errors are IcebergErrors that name the file. */
export interface PartUpload {
  readonly location: string;
  /** Writes the whole file at once. */
  putWhole(bytes: Uint8Array): Promise<void>;
  /** Uploads a part; they are numbered from 1, and several are under way at a time. The upload begins with the first one. */
  putPart(number: number, bytes: Uint8Array): Promise<void>;
  /** Makes the file of parts 1 to `parts`, which have all been uploaded; `length` is the whole file's. */
  complete(parts: number, length: number): Promise<void>;
  /** Gives up what was uploaded, if anything. */
  abort(): Promise<void>;
}

/** S3 takes parts of 5 MB and more, and at most 10,000 of them: 8 MB allows files of 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

/** Parts in flight for one file; with the part being filled this bounds a writer's memory to 32 MB. */
const MAX_UPLOADS = 3;

/** Writes one file in parts while it is being made; one that is smaller than a part is put in one request. */
export class PartWriter implements FileWriter {
  readonly #upload: PartUpload;
  readonly #uploads = new Set<Promise<void>>();
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #length = 0;
  #parts = 0;
  #isEnded = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor(upload: PartUpload) {
    this.#upload = upload;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    this.#length += chunk.length;
    if (this.#bufferedBytes >= PART_BYTES) await this.#orAbort(() => this.#uploadBuffered());
  }

  async close(): Promise<{ length: number }> {
    this.#requireOpen();
    await this.#orAbort(async () => {
      if (this.#parts === 0) return this.#upload.putWhole(this.#takeBuffered());
      if (this.#bufferedBytes > 0) await this.#uploadBuffered();
      await Promise.all(this.#uploads);
      this.#throwFailure();
      await this.#upload.complete(this.#parts, this.#length);
    });
    this.#isEnded = true;
    return { length: this.#length };
  }

  async abort(): Promise<void> {
    this.#isEnded = true;
    this.#chunks = [];
    await Promise.all(this.#uploads);
    await this.#upload.abort();
  }

  async #uploadBuffered(): Promise<void> {
    while (this.#uploads.size >= MAX_UPLOADS) await Promise.race(this.#uploads);
    this.#throwFailure();
    const upload = this.#upload
      .putPart(++this.#parts, this.#takeBuffered())
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
  }

  #takeBuffered(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks, this.#bufferedBytes);
    this.#chunks = [];
    this.#bufferedBytes = 0;
    return bytes;
  }

  /** A writer that failed has lost parts: going on would make a file with a hole. */
  #requireOpen(): void {
    if (this.#isEnded)
      throw new IcebergError('storage_failed', `The writer of ${this.#upload.location} was closed or aborted before.`);
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  async #orAbort(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // The upload's own error is the one to report; parts that could not be removed cost money, not correctness.
      await this.abort().catch(() => undefined);
      throw error;
    }
  }
}
