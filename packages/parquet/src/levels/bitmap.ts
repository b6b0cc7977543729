import type { Selection } from '../values/selection.ts';

let indices = new Int32Array(0);

/** Which of some rows have their bit set; the selection is valid until the next call. */
export function selectValid(validity: Uint8Array, first: number, rows: number): Selection {
  if (indices.length < rows + 1) indices = new Int32Array(Math.max(rows + 1, 2 * indices.length));
  const target = indices;
  let count = 0;
  // Without branches: an index that is not taken is written over by the next.
  for (let row = first, end = first + rows; row < end; row++) {
    target[count] = row;
    count += (validity[row >> 3]! >> (row & 7)) & 1;
  }
  return count === rows ? { start: first, count, indices: undefined } : { start: 0, count, indices: target };
}

/** Copies `count` bits from bit `first` of `bits` on (all set, if undefined) behind the `length` bits of a bitmap; the bits behind them become 0. */
export function appendBits(
  target: Uint8Array,
  length: number,
  { bits, first, count }: { bits: Uint8Array | undefined; first: number; count: number },
): void {
  const shift = length & 7;
  let at = length >> 3;
  if (shift > 0) target[at]! &= (1 << shift) - 1;
  for (let done = 0; done < count; done += 8) {
    const byte = (bits ? byteAt(bits, first + done) : 0xff) & (count - done < 8 ? (1 << (count - done)) - 1 : 0xff);
    if (shift === 0) target[at] = byte;
    else {
      target[at]! |= byte << shift;
      if (at + 1 < target.length) target[at + 1] = byte >> (8 - shift);
    }
    at += 1;
  }
}

/** Eight bits from any bit on. */
function byteAt(bits: Uint8Array, from: number): number {
  const shift = from & 7;
  const low = bits[from >> 3] ?? 0;
  return shift === 0 ? low : ((low >> shift) | ((bits[(from >> 3) + 1] ?? 0) << (8 - shift))) & 0xff;
}
