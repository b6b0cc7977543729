import { releaseMemory } from './compression.ts';

/** Room that may be written beyond the end: loops over words need not look where a value ends. */
const SLACK_BYTES = 64;

/** The bytes of the page that is being encoded; one buffer serves all pages of a thread. */
export class PageBuffer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  length = 0;

  /** Makes room for so many more bytes, and some slack behind them. */
  reserve(bytes: number): void {
    const needed = this.length + bytes + SLACK_BYTES;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    releaseMemory(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends an unsigned LEB128 integer of at most 53 bits. */
  appendVarint(value: number): void {
    this.reserve(10);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 128;
    this.bytes[this.length++] = rest;
  }

  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets what was written; one huge page must not keep its memory for good. */
  clear(keptBytes: number): void {
    this.length = 0;
    if (this.bytes.length <= keptBytes) return;
    releaseMemory(this.bytes);
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }
}
