import { writev } from 'node:fs';
import { promisify } from 'node:util';

const writevAsync = promisify(writev);
/** Bytes that may wait in memory before `write` makes its caller wait: a few socket buffers, so that lines are sent in large pieces. */
const HIGH_WATER_BYTES = 256 * 1024;
/** The most pieces one writev takes (IOV_MAX on Linux). */
const MAX_PIECES = 1024;

/** Writes protocol lines, each optionally followed by raw bytes, to a file descriptor, in order and with back-pressure. */
export class WireWriter {
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;
  #error: Error | undefined;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Queues one message; resolves when there is room for more, with a body only when all of it is with the operating system: its memory
   * is the caller's again. Rejects once the reader has gone (EPIPE).
   */
  async write(message: object, body?: readonly Uint8Array[]): Promise<void> {
    if (this.#error) throw this.#error;
    this.#push(Buffer.from(`${JSON.stringify(message)}\n`));
    for (const piece of body ?? []) this.#push(piece);
    const flushing = this.#flushSoon();
    if (body || this.#pendingBytes > HIGH_WATER_BYTES) await flushing;
  }

  /** Resolves when all that was queued is with the operating system. */
  async flush(): Promise<void> {
    while (this.#pieces.length > 0 || this.#flushing) await this.#flushSoon();
    if (this.#error) throw this.#error;
  }

  #push(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    this.#pieces.push(piece);
    this.#pendingBytes += piece.byteLength;
  }

  #flushSoon(): Promise<void> {
    this.#flushing ??= this.#drain();
    // Callers that do not wait must not turn a closed pipe into an unhandled rejection; the next write reports it.
    this.#flushing.catch(() => undefined);
    return this.#flushing;
  }

  async #drain(): Promise<void> {
    // One turn of the event loop gathers the lines of a burst into one system call.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#pieces.length > 0) await this.#writeAll(this.#pieces.splice(0, MAX_PIECES));
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#pieces = [];
      throw this.#error;
    } finally {
      // In the same turn as the last look at the queue: what is queued later must start a flush of its own.
      this.#flushing = undefined;
    }
  }

  async #writeAll(pieces: Uint8Array[]): Promise<void> {
    let rest = pieces;
    while (rest.length > 0) {
      const written = await this.#writeSome(rest);
      this.#pendingBytes -= written;
      rest = dropBytes(rest, written);
    }
  }

  async #writeSome(pieces: Uint8Array[]): Promise<number> {
    try {
      return (await writevAsync(this.#fd, pieces)).bytesWritten;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
      return 0;
    }
  }
}

function dropBytes(pieces: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let first = 0;
  for (; first < pieces.length; first++) {
    const length = pieces[first]?.byteLength ?? 0;
    if (left < length) break;
    left -= length;
  }
  const rest = pieces.slice(first);
  if (left > 0 && rest[0]) rest[0] = rest[0].subarray(left);
  return rest;
}
