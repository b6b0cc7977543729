import type { PageBuffer } from '../page-buffer.ts';

/** Appends `count` integers of `bitWidth` (at most 24) bits each, lowest bit first, filled up with zeros to a multiple of eight (Encodings.md, RLE / Bit-Packing Hybrid). */
export function appendBitPacked(
  page: PageBuffer,
  values: Uint32Array | Uint8Array,
  { count, bitWidth }: { count: number; bitWidth: number },
): void {
  const padded = (count + 7) & ~7;
  page.reserve((padded * bitWidth) >> 3);
  const { bytes } = page;
  let at = page.length;
  let bits = 0;
  let filled = 0;
  for (let index = 0; index < padded; index++) {
    bits |= (index < count ? values[index]! : 0) << filled;
    filled += bitWidth;
    while (filled >= 8) {
      bytes[at++] = bits;
      bits >>>= 8;
      filled -= 8;
    }
  }
  page.length = at;
}

/** How many bits the numbers from 0 to `largest` need. */
export function bitWidthOf(largest: number): number {
  return 32 - Math.clz32(largest);
}
