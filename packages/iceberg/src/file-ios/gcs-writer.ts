import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { File } from '@google-cloud/storage';
import { IcebergError } from '../errors.ts';
import type { FileWriter } from '../file-io.ts';
import { guardGcs } from './gcs.ts';

/** A multiple of 256 KiB, as Google asks. It is kept until it has arrived, and bounds a writer's memory with what waits behind it. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Writes one object by a resumable upload: an object exists once it is complete, and a broken connection is resumed. */
export function createGcsWriter(file: File, location: string): FileWriter {
  return new GcsWriter(file, location);
}

class GcsWriter implements FileWriter {
  readonly #file: File;
  readonly #location: string;
  #stream: Writable | undefined;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #isEnded = false;

  constructor(file: File, location: string) {
    this.#file = file;
    this.#location = location;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    this.#length += chunk.length;
    if (this.#stream) return this.#send(this.#stream, chunk);
    this.#chunks.push(chunk);
    if (this.#length < CHUNK_BYTES) return;
    this.#stream = this.#file.createWriteStream({ resumable: true, chunkSize: CHUNK_BYTES });
    // Seen by whoever writes or closes next; without a listener it would end the process.
    this.#stream.on('error', () => undefined);
    for (const waiting of this.#chunks.splice(0)) await this.#send(this.#stream, waiting);
  }

  async close(): Promise<{ length: number }> {
    this.#requireOpen();
    this.#isEnded = true;
    const stream = this.#stream;
    await guardGcs(this.#location, async () => {
      if (!stream) return this.#file.save(Buffer.concat(this.#chunks), { resumable: false });
      if (stream.errored) throw stream.errored;
      stream.end();
      await finished(stream);
    });
    return { length: this.#length };
  }

  async abort(): Promise<void> {
    this.#isEnded = true;
    this.#chunks = [];
    this.#stream?.destroy();
  }

  #send(stream: Writable, chunk: Uint8Array): Promise<void> {
    return guardGcs(this.#location, async () => {
      if (stream.errored) throw stream.errored;
      try {
        if (!stream.write(chunk)) await once(stream, 'drain');
      } catch (error) {
        this.#isEnded = true;
        throw error;
      }
    });
  }

  /** A writer that failed has lost bytes: going on would make an object with a hole. */
  #requireOpen(): void {
    if (this.#isEnded)
      throw new IcebergError('storage_failed', `The writer of ${this.#location} was closed or aborted before.`);
  }
}
