import type { Bounds } from './bounds.ts';

/** Values as they lie in a page or dictionary: value `i` from `offsets[i]` to `offsets[i + 1]`, readable a little beyond the last. */
type ByteArrays = { data: Uint8Array; view: DataView; offsets: Int32Array };

/**
 * Bounds of byte arrays in unsigned lexicographic order, of all or of the `count` first indices. The first eight bytes decide nearly always; only
 * where they are equal all bytes are looked at.
 */
export function byteArrayBounds(
  values: ByteArrays,
  indices: Int32Array | undefined,
  count: number,
): Bounds | undefined {
  if (count === 0) return undefined;
  const { view, offsets, data } = values;
  let [least, greatest] = [-1, -1];
  let [minHigh, minLow, maxHigh, maxLow] = [0x1_0000_0000, 0, -1, 0];
  for (let k = 0; k < count; k++) {
    const index = indices ? indices[k]! : k;
    const start = offsets[index]!;
    const length = offsets[index + 1]! - start;
    let high = view.getUint32(start);
    let low = view.getUint32(start + 4);
    if (length < 8) {
      if (length > 4) low = (low & (-1 << (64 - 8 * length))) >>> 0;
      else {
        low = 0;
        high = length === 0 ? 0 : (high & (-1 << (32 - 8 * length))) >>> 0;
      }
    }
    if (high < minHigh || (high === minHigh && (low < minLow || (low === minLow && isLess(values, index, least))))) {
      least = index;
      minHigh = high;
      minLow = low;
    }
    if (high > maxHigh || (high === maxHigh && (low > maxLow || (low === maxLow && isLess(values, greatest, index))))) {
      greatest = index;
      maxHigh = high;
      maxLow = low;
    }
  }
  const valueAt = (index: number) => data.slice(offsets[index]!, offsets[index + 1]!);
  return { min: valueAt(least), max: valueAt(greatest) };
}

function isLess({ data, offsets }: ByteArrays, a: number, b: number): boolean {
  const [startA, startB] = [offsets[a]!, offsets[b]!];
  const [lengthA, lengthB] = [offsets[a + 1]! - startA, offsets[b + 1]! - startB];
  const common = Math.min(lengthA, lengthB);
  for (let k = 0; k < common; k++) {
    const difference = data[startA + k]! - data[startB + k]!;
    if (difference !== 0) return difference < 0;
  }
  return lengthA < lengthB;
}
