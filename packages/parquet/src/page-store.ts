import { releaseMemory } from './compression.ts';

/** Pages are kept in pieces of this size; the first of a file are smaller, so that thousands of small files cost little. */
const SLAB_BYTES = 1024 * 1024;
const FIRST_SLAB_BYTES = 16 * 1024;
/** Slabs that wait for the next file of this thread. */
const MAX_SPARE_SLABS = 16;

const spare: Uint8Array[] = [];

/** Holds the encoded pages of a row group until it is complete, in memory that the next row group uses again. */
export class PageStore {
  #slabs: Uint8Array[] = [];
  #last: Uint8Array = new Uint8Array(0);
  #used = 0;
  #nextBytes = FIRST_SLAB_BYTES;

  /** Copies a page in; the result is valid until `clear`. */
  add(header: Uint8Array, body: Uint8Array): Uint8Array {
    const length = header.length + body.length;
    if (this.#used + length > this.#last.length) this.#open(length);
    const page = this.#last.subarray(this.#used, this.#used + length);
    page.set(header);
    page.set(body, header.length);
    this.#used += length;
    return page;
  }

  /** Forgets all pages. */
  clear(): void {
    for (const slab of this.#slabs) {
      if (slab.length === SLAB_BYTES && spare.length < MAX_SPARE_SLABS) spare.push(slab);
      else releaseMemory(slab);
    }
    this.#slabs = [];
    this.#last = new Uint8Array(0);
    this.#used = 0;
  }

  #open(length: number): void {
    while (this.#nextBytes < Math.min(length, SLAB_BYTES)) this.#nextBytes *= 4;
    const isLarge = length > SLAB_BYTES;
    const isWhole = this.#nextBytes >= SLAB_BYTES;
    this.#last = isLarge
      ? new Uint8Array(length)
      : (isWhole && spare.pop()) || new Uint8Array(Math.min(SLAB_BYTES, this.#nextBytes));
    this.#slabs.push(this.#last);
    this.#used = 0;
    if (!isLarge) this.#nextBytes = Math.min(SLAB_BYTES, this.#nextBytes * 4);
  }
}
