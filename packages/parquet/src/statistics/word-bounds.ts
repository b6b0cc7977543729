import type { Bounds, ValueOrder } from './bounds.ts';

/** Bounds of INT32, INT64, FLOAT and DOUBLE values given as 32-bit words. NaN counts for nothing. */
export function wordBounds(order: ValueOrder, words: Int32Array<ArrayBuffer>, count: number): Bounds | undefined {
  if (count === 0) return undefined;
  switch (order) {
    case 'int32':
      return signedBounds(words, count);
    case 'uint32':
      return unsignedBounds(new Uint32Array(words.buffer, 0, count));
    case 'int64':
      return longBounds(words, count);
    case 'uint64':
      return unsignedLongBounds(words, count);
    case 'float':
      return floatBounds(new Float32Array(words.buffer, 0, count));
    case 'double':
      return floatBounds(new Float64Array(words.buffer, 0, count));
    case 'boolean':
    case 'float16':
    case 'bytes':
    case 'decimal':
      throw new Error(`values in ${order} order are not words`);
    default:
      return order satisfies never;
  }
}

/** How many floats are NaN. */
export function countNaN(order: 'float' | 'double', words: Int32Array<ArrayBuffer>, count: number): number {
  const values =
    order === 'float' ? new Float32Array(words.buffer, 0, count) : new Float64Array(words.buffer, 0, count);
  let nans = 0;
  for (let index = 0; index < count; index++) if (Number.isNaN(values[index]!)) nans++;
  return nans;
}

function signedBounds(words: Int32Array, count: number): Bounds {
  let min = words[0]!;
  let max = min;
  for (let index = 1; index < count; index++) {
    const value = words[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min: bytesOf(Int32Array.of(min)), max: bytesOf(Int32Array.of(max)) };
}

function unsignedBounds(values: Uint32Array): Bounds {
  let min = values[0]!;
  let max = min;
  for (let index = 1; index < values.length; index++) {
    const value = values[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min: bytesOf(Uint32Array.of(min)), max: bytesOf(Uint32Array.of(max)) };
}

/** Compares the high words, and the low ones (unsigned) only where those are equal. */
function longBounds(words: Int32Array, count: number): Bounds {
  let [minHigh, minLow] = [words[1]!, words[0]! >>> 0];
  let [maxHigh, maxLow] = [minHigh, minLow];
  for (let index = 2; index < 2 * count; index += 2) {
    const high = words[index + 1]!;
    if (high <= minHigh) {
      const low = words[index]! >>> 0;
      if (high < minHigh || low < minLow) {
        minHigh = high;
        minLow = low;
      }
    }
    if (high >= maxHigh) {
      const low = words[index]! >>> 0;
      if (high > maxHigh || low > maxLow) {
        maxHigh = high;
        maxLow = low;
      }
    }
  }
  return { min: bytesOf(Int32Array.of(minLow, minHigh)), max: bytesOf(Int32Array.of(maxLow, maxHigh)) };
}

function unsignedLongBounds(words: Int32Array, count: number): Bounds {
  const flipped = words.slice(0, 2 * count);
  // With the sign bit turned over, unsigned order is signed order.
  for (let index = 1; index < flipped.length; index += 2) flipped[index]! ^= -0x8000_0000;
  const { min, max } = longBounds(flipped, count);
  for (const bound of [min, max]) if (bound) bound[7]! ^= 0x80;
  return { min, max };
}

/** -0 and +0 are equal for some readers and ordered for others: a least zero is -0, a greatest one +0 (parquet.thrift, ColumnOrder). */
function floatBounds(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Bounds | undefined {
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Nothing but NaN leaves the two crossed over.
  if (min > max) return undefined;
  const Floats = values instanceof Float32Array ? Float32Array : Float64Array;
  return { min: bytesOf(Floats.of(min === 0 ? -0 : min)), max: bytesOf(Floats.of(max === 0 ? 0 : max)) };
}

function bytesOf({ buffer }: { buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(buffer);
}
