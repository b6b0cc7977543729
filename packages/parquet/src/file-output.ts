import type { Extent } from './footer.ts';

/** Bytes are given out in pieces of about this size. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** The file's bytes on their way out: copied together into large pieces, which are handed over one after the other. */
export class FileOutput {
  readonly #write: (bytes: Uint8Array) => Promise<void> | void;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  length = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void> | void) {
    this.#write = write;
  }

  /** Queues bytes, which must stay as they are until `flush` is called; gives where they will lie. */
  append(bytes: Uint8Array): Extent {
    const extent = { offset: this.length, bytes: bytes.length };
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    this.length += bytes.length;
    return extent;
  }

  /** Copies what is queued; resolves when what was flushed before is written, so that one row group is stored while the next is encoded. */
  async flush(): Promise<void> {
    const pieces = this.#takePieces();
    await this.settle();
    this.#writing = this.#writeAll(pieces);
    // Reported by the next flush or settle; until then it must not count as unhandled.
    this.#writing.catch(() => {});
  }

  /** Resolves when all that was flushed is written. */
  settle(): Promise<void> {
    return this.#writing;
  }

  async #writeAll(pieces: Uint8Array[]): Promise<void> {
    for (let piece = pieces.shift(); piece; piece = pieces.shift()) await this.#write(piece);
  }

  #takePieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let piece = new Uint8Array(0);
    let filled = 0;
    let rest = this.#partBytes;
    for (const part of this.#parts) {
      for (let from = 0; from < part.length;) {
        if (filled === piece.length) {
          piece = new Uint8Array(Math.min(PIECE_BYTES, rest));
          pieces.push(piece);
          filled = 0;
        }
        const taken = Math.min(part.length - from, piece.length - filled);
        piece.set(part.subarray(from, from + taken), filled);
        from += taken;
        filled += taken;
        rest -= taken;
      }
    }
    this.#parts = [];
    this.#partBytes = 0;
    return pieces;
  }
}
