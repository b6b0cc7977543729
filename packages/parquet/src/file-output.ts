import type { Extent } from './footer.ts';

/** Bytes are given out in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

/** The file's bytes on their way out: copied together into pieces, which are handed over one after the other. */
export class FileOutput {
  readonly #write: (bytes: Uint8Array) => Promise<void> | void;
  #parts: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();
  length = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void> | void) {
    this.#write = write;
  }

  /** Queues bytes, which must stay as they are until they are written; gives where they will lie. */
  append(bytes: Uint8Array): Extent {
    const extent = { offset: this.length, bytes: bytes.length };
    this.#parts.push(bytes);
    this.length += bytes.length;
    return extent;
  }

  /**
   * Begins to write what is queued, and calls `release` once it is written. Resolves when what was flushed before is written: one row group is
   * stored while the next is encoded, and no third one waits.
   */
  async flush(release?: () => void): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    await this.settle();
    this.#writing = this.#writeAll(parts).then(release);
    // Reported by the next flush or settle; until then it must not count as unhandled.
    this.#writing.catch(() => {});
    // What takes bytes at once is done within this turn: its pages need not be held beside the next group's.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when all that was flushed is written. */
  settle(): Promise<void> {
    return this.#writing;
  }

  async #writeAll(parts: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces(parts)) await this.#write(piece);
  }
}

/** Each piece in memory of its own: it is the taker's. */
function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let rest = parts.reduce((sum, { length }) => sum + length, 0);
  let piece = new Uint8Array(Math.min(PIECE_BYTES, rest));
  let filled = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length;) {
      const taken = Math.min(part.length - from, piece.length - filled);
      piece.set(part.subarray(from, from + taken), filled);
      from += taken;
      filled += taken;
      if (filled < piece.length) continue;
      yield piece;
      rest -= filled;
      piece = new Uint8Array(Math.min(PIECE_BYTES, rest));
      filled = 0;
    }
  }
}
