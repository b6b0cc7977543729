import { boundValue, type Bounds, type ValueOrder } from './bounds.ts';

/** Bounds of values of a fixed number of bytes: as unsigned bytes, as big-endian two's complement (decimal), or as half floats. */
export function fixedByteBounds(
  order: ValueOrder,
  data: Uint8Array,
  { width, count }: { width: number; count: number },
): Bounds | undefined {
  if (order === 'float16') return halfBounds(data, count);
  if (count === 0 || width === 0) return undefined;
  // With the sign bit turned over, two's complement has the order of its bytes.
  const flip = order === 'decimal' ? 0x80 : 0;
  let [least, greatest] = [0, 0];
  for (let at = width; at < count * width; at += width) {
    if (isLess(data, { a: at, b: least, width, flip })) least = at;
    else if (isLess(data, { a: greatest, b: at, width, flip })) greatest = at;
  }
  return { min: data.slice(least, least + width), max: data.slice(greatest, greatest + width) };
}

function isLess(
  data: Uint8Array,
  { a, b, width, flip }: { a: number; b: number; width: number; flip: number },
): boolean {
  const first = (data[a]! ^ flip) - (data[b]! ^ flip);
  if (first !== 0) return first < 0;
  for (let k = 1; k < width; k++) {
    const difference = data[a + k]! - data[b + k]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function halfBounds(data: Uint8Array, count: number): Bounds | undefined {
  let [least, greatest] = [NaN, NaN];
  let [min, max] = [new Uint8Array(), new Uint8Array()];
  for (let at = 0; at < 2 * count; at += 2) {
    const bytes = data.subarray(at, at + 2);
    const value = Number(boundValue('float16', bytes));
    if (value < least || (Number.isNaN(least) && !Number.isNaN(value))) [least, min] = [value, bytes.slice()];
    if (value > greatest || (Number.isNaN(greatest) && !Number.isNaN(value))) [greatest, max] = [value, bytes.slice()];
  }
  if (Number.isNaN(least)) return undefined;
  return { min: least === 0 ? Uint8Array.of(0, 0x80) : min, max: greatest === 0 ? Uint8Array.of(0, 0) : max };
}
