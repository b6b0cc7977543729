import type { PageBuffer } from '../page-buffer.ts';
import { appendBitPacked } from './bit-pack.ts';

/** Runs shorter than a group of bit-packed values gain nothing. */
const SHORTEST_RUN = 8;

/** Appends levels as RLE / Bit-Packing Hybrid (Encodings.md), without a length in front: repeats as runs, what lies between bit-packed. */
export function appendRle(
  page: PageBuffer,
  levels: Uint8Array,
  { count, bitWidth }: { count: number; bitWidth: number },
): void {
  let packedFrom = 0;
  for (let index = 0; index < count;) {
    let end = index + 1;
    while (end < count && levels[end] === levels[index]) end += 1;
    // Bit-packed values come in eights: the run gives what the last group lacks.
    const runStart = index + ((packedFrom - index) & 7);
    if (end - runStart >= SHORTEST_RUN) {
      appendPacked(page, levels.subarray(packedFrom, runStart), bitWidth);
      appendRun(page, { value: levels[index]!, length: end - runStart, bitWidth });
      packedFrom = end;
    }
    index = end;
  }
  appendPacked(page, levels.subarray(packedFrom, count), bitWidth);
}

/** Appends one run of a repeated value of at most 8 bits. */
export function appendRun(
  page: PageBuffer,
  { value, length, bitWidth }: { value: number; length: number; bitWidth: number },
): void {
  page.appendVarint(length * 2);
  if (bitWidth > 0) page.append(Uint8Array.of(value));
}

/** Appends one bit-packed run; its last group may be filled up with zeros only at the very end of a page. */
function appendPacked(page: PageBuffer, levels: Uint8Array, bitWidth: number): void {
  const count = levels.length;
  if (count === 0) return;
  page.appendVarint(((count + 7) >> 3) * 2 + 1);
  appendBitPacked(page, levels, { count, bitWidth });
}
