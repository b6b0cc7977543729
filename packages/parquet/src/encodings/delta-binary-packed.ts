import type { PageBuffer } from '../page-buffer.ts';

/** The usual sizes (Encodings.md, Delta Encoding): blocks of 128 values in four miniblocks. */
const BLOCK_VALUES = 128;
const MINIBLOCKS = 4;
const MINIBLOCK_VALUES = BLOCK_VALUES / MINIBLOCKS;
/** Differences are taken in doubles and written twice as large: exact up to here. */
const MAX_EXACT = 2 ** 51;
/** Wider differences do not pay, and would not fit into the packing loop. */
const MAX_BIT_WIDTH = 24;

const deltas = new Float64Array(BLOCK_VALUES);

/**
 * Appends integers of one word (INT32) or two (INT64) as DELTA_BINARY_PACKED. False, with the page as it was, if the values jump so far that the
 * encoding would not pay.
 */
export function appendDeltas(
  page: PageBuffer,
  words: Int32Array,
  { width, count }: { width: 1 | 2; count: number },
): boolean {
  const before = page.length;
  const read =
    width === 1
      ? (index: number) => words[index]!
      : (index: number) => words[2 * index + 1]! * 2 ** 32 + (words[2 * index]! >>> 0);
  page.reserve(count * width * 5 + 64);
  page.appendVarint(BLOCK_VALUES);
  page.appendVarint(MINIBLOCKS);
  page.appendVarint(count);
  let last = count === 0 ? 0 : read(0);
  let isExact = Math.abs(last) < MAX_EXACT;
  appendZigzag(page, last);
  for (let start = 1; start < count; start += BLOCK_VALUES) {
    const length = Math.min(BLOCK_VALUES, count - start);
    let min = Infinity;
    let max = -Infinity;
    for (let k = 0; k < length; k++) {
      const value = read(start + k);
      const delta = value - last;
      deltas[k] = delta;
      if (delta < min) min = delta;
      if (delta > max) max = delta;
      isExact &&= Math.abs(value) < MAX_EXACT;
      last = value;
    }
    // The difference of two 32-bit integers may need 33 bits, which readers compute in 32: those are refused too.
    const fits = width === 2 || (min >= -0x8000_0000 && max <= 0x7fff_ffff);
    if (!isExact || !fits || max - min >= 2 ** MAX_BIT_WIDTH) {
      page.length = before;
      return false;
    }
    appendBlock(page, length, min);
  }
  if (!isExact) page.length = before;
  return isExact;
}

function appendBlock(page: PageBuffer, length: number, min: number): void {
  appendZigzag(page, min);
  page.reserve(BLOCK_VALUES * 4 + MINIBLOCKS);
  const widths = page.length;
  page.length += MINIBLOCKS;
  for (let block = 0; block < MINIBLOCKS; block++) {
    const start = block * MINIBLOCK_VALUES;
    let used = 0;
    for (let k = start; k < Math.min(length, start + MINIBLOCK_VALUES); k++) used |= deltas[k]! - min;
    const bitWidth = 32 - Math.clz32(used);
    page.bytes[widths + block] = bitWidth;
    let [bits, filled] = [0, 0];
    for (let k = start; bitWidth > 0 && k < start + MINIBLOCK_VALUES; k++) {
      bits |= (k < length ? deltas[k]! - min : 0) << filled;
      for (filled += bitWidth; filled >= 8; filled -= 8) {
        page.bytes[page.length++] = bits;
        bits >>>= 8;
      }
    }
  }
}

function appendZigzag(page: PageBuffer, value: number): void {
  page.appendVarint(value < 0 ? -2 * value - 1 : 2 * value);
}
