import type { PageBuffer } from '../page-buffer.ts';

/** Appends `count` integers of `bitWidth` (at most 16) bits each, lowest bit first, filled up with zeros to a multiple of eight (Encodings.md, RLE / Bit-Packing Hybrid). */
export function appendBitPacked(
  page: PageBuffer,
  values: Uint32Array | Uint8Array,
  { count, bitWidth }: { count: number; bitWidth: number },
): void {
  const padded = (count + 7) & ~7;
  page.reserve((padded * bitWidth) >> 3);
  const { bytes } = page;
  let at = page.length;
  if (bitWidth === 8) {
    bytes.set(values.subarray(0, count), at);
    bytes.fill(0, at + count, at + padded);
    page.length = at + padded;
    return;
  }
  let bits = 0;
  let filled = 0;
  for (let index = 0; index < padded; index++) {
    bits |= (index < count ? values[index]! : 0) << filled;
    filled += bitWidth;
    if (filled >= 16) {
      bytes[at] = bits;
      bytes[at + 1] = bits >>> 8;
      at += 2;
      bits >>>= 16;
      filled -= 16;
    }
  }
  if (filled > 0) bytes[at++] = bits;
  page.length = at;
}

/** How many bits the numbers from 0 to `largest` need. */
export function bitWidthOf(largest: number): number {
  return 32 - Math.clz32(largest);
}
