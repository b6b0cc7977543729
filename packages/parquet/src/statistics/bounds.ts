/** How values of a leaf are ordered (parquet.thrift: ColumnOrder, TypeDefinedOrder). */
export type ValueOrder =
  | 'boolean'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float'
  | 'double'
  | 'float16'
  | 'bytes'
  | 'decimal';

/**
 * Least and greatest value in the PLAIN encoding, byte arrays without their length. A long one may be shortened, `min` to something smaller, `max` to
 * something greater, and is then marked; `max` is undefined if there is nothing greater of that length.
 */
export type Bounds = {
  min: Uint8Array;
  max: Uint8Array | undefined;
  isMinShortened?: boolean;
  isMaxShortened?: boolean;
};

/** A bound as a value of JavaScript: decimals unscaled, text in UTF-8. */
export type BoundValue = boolean | number | bigint | Uint8Array;

/** The bounds of two sets of values together; those of the other if one is undefined. */
export function mergeBounds(order: ValueOrder, a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  if (!a || !b) return a ?? b;
  const lower = compareBounds(order, b.min, a.min) < 0 ? b : a;
  const upper = !a.max || (b.max && compareBounds(order, b.max, a.max) <= 0) ? a : b;
  return {
    min: lower.min,
    max: upper.max,
    ...(lower.isMinShortened && { isMinShortened: true }),
    ...(upper.isMaxShortened && { isMaxShortened: true }),
  };
}

/** Compares two bounds by the leaf's own order: negative, 0 or positive. */
export function compareBounds(order: ValueOrder, a: Uint8Array, b: Uint8Array): number {
  if (order === 'bytes') return Buffer.compare(a, b);
  const [left, right] = [boundValue(order, a), boundValue(order, b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Reads a bound of any order. */
export function boundValue(order: ValueOrder, bytes: Uint8Array): BoundValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (order) {
    case 'boolean':
      return bytes[0] !== 0;
    case 'int32':
      return view.getInt32(0, true);
    case 'uint32':
      return view.getUint32(0, true);
    case 'int64':
      return view.getBigInt64(0, true);
    case 'uint64':
      return view.getBigUint64(0, true);
    case 'float':
      return view.getFloat32(0, true);
    case 'double':
      return view.getFloat64(0, true);
    case 'float16':
      return float16(view.getUint16(0, true));
    case 'decimal':
      return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), (bytes[0] ?? 0) < 0x80 ? 0n : -1n);
    case 'bytes':
      return bytes;
    default:
      return order satisfies never;
  }
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
