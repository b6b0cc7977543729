import { IcebergError } from '../errors.ts';
import type { FileWriter } from '../file-io.ts';
import { type S3Connection, type S3Object, guardS3 } from './s3.ts';

/** S3 takes parts of 5 MB and more, and at most 10,000 of them: 8 MB allows files of 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

/** Parts in flight for one file; with the part being filled this bounds a writer's memory to 32 MB. */
const MAX_UPLOADS = 3;

/** Writes one object in parts while it is being made; an object smaller than a part is put in one request. */
export function createMultipartWriter(s3: S3Connection, object: S3Object, location: string): FileWriter {
  return new MultipartWriter(s3, object, location);
}

interface Part {
  readonly ETag: string | undefined;
  readonly PartNumber: number;
}

class MultipartWriter implements FileWriter {
  readonly #s3: S3Connection;
  readonly #object: S3Object;
  readonly #location: string;
  readonly #uploads = new Set<Promise<void>>();
  readonly #parts: Part[] = [];
  #uploadId: string | undefined;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #length = 0;
  #nextPart = 1;
  #isEnded = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor(s3: S3Connection, object: S3Object, location: string) {
    this.#s3 = s3;
    this.#object = object;
    this.#location = location;
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
      if (this.#uploadId === undefined) return this.#putWhole();
      if (this.#bufferedBytes > 0) await this.#uploadBuffered();
      await Promise.all(this.#uploads);
      this.#throwFailure();
      await this.#complete(this.#uploadId);
    });
    this.#isEnded = true;
    return { length: this.#length };
  }

  async abort(): Promise<void> {
    this.#isEnded = true;
    this.#chunks = [];
    await Promise.all(this.#uploads);
    const UploadId = this.#uploadId;
    if (UploadId === undefined) return;
    const { client, sdk } = this.#s3;
    this.#uploadId = undefined;
    await guardS3(this.#location, () =>
      client.send(new sdk.AbortMultipartUploadCommand({ ...this.#object, UploadId })),
    );
  }

  async #putWhole(): Promise<void> {
    const { client, sdk } = this.#s3;
    const Body = this.#takeBuffered();
    await client.send(new sdk.PutObjectCommand({ ...this.#object, Body, ContentLength: Body.length }));
  }

  async #uploadBuffered(): Promise<void> {
    const { client, sdk } = this.#s3;
    this.#uploadId ??= (await client.send(new sdk.CreateMultipartUploadCommand(this.#object))).UploadId;
    while (this.#uploads.size >= MAX_UPLOADS) await Promise.race(this.#uploads);
    this.#throwFailure();
    const upload = this.#uploadPart(this.#nextPart++, this.#takeBuffered())
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
  }

  async #uploadPart(PartNumber: number, Body: Uint8Array): Promise<void> {
    const { client, sdk } = this.#s3;
    const request = { ...this.#object, UploadId: this.#uploadId, PartNumber, Body, ContentLength: Body.length };
    const { ETag } = await client.send(new sdk.UploadPartCommand(request));
    this.#parts.push({ ETag, PartNumber });
  }

  async #complete(UploadId: string): Promise<void> {
    const { client, sdk } = this.#s3;
    const Parts = this.#parts.toSorted((a, b) => a.PartNumber - b.PartNumber);
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...this.#object, UploadId, MultipartUpload: { Parts } }),
    );
    this.#uploadId = undefined;
  }

  #takeBuffered(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks, this.#bufferedBytes);
    this.#chunks = [];
    this.#bufferedBytes = 0;
    return bytes;
  }

  /** A writer that failed has lost parts: going on would make an object with a hole. */
  #requireOpen(): void {
    if (this.#isEnded)
      throw new IcebergError('storage_failed', `The writer of ${this.#location} was closed or aborted before.`);
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  async #orAbort(work: () => Promise<void>): Promise<void> {
    try {
      await guardS3(this.#location, work);
    } catch (error) {
      // The upload's own error is the one to report; parts that could not be removed cost money, not correctness.
      await this.abort().catch(() => undefined);
      throw error;
    }
  }
}
