import { type Primitive, type PrimitiveType, parsePrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';

/**
 * A single value in JavaScript: boolean; number for int, float, double and date (days); bigint for long, time, timestamps
 * (µs or ns since 1970) and decimal (unscaled); string for string and uuid; bytes for fixed and binary.
 */
export type Value = boolean | number | bigint | string | Uint8Array;

/** Serializes a value as the spec's Appendix D says (binary single-value serialization). Throws `invalid_argument` for another type's value. */
export function encodeValue(type: PrimitiveType, value: Value): Uint8Array {
  const primitive = parsePrimitive(type);
  const encoded = encode(primitive, value);
  if (encoded) return encoded;
  throw new IcebergError('invalid_argument', `A ${typeof value} is not a value of type ${type}.`);
}

/** Reads a value of Appendix D. Bounds of a promoted column (int to long, float to double) are read by their length. */
export function decodeValue(type: PrimitiveType, bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { kind } = parsePrimitive(type);
  switch (kind) {
    case 'boolean':
      return bytes[0] !== 0;
    case 'int':
    case 'date':
      return view.getInt32(0, true);
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true);
    case 'float':
      return view.getFloat32(0, true);
    case 'double':
      return bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    case 'decimal':
      return decodeBigEndian(bytes);
    case 'string':
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    case 'uuid':
      return formatUuid(bytes);
    case 'fixed':
    case 'binary':
      return bytes;
    case 'unknown':
    case 'variant':
      throw new IcebergError('unsupported', `Values of type ${type} have no single-value form.`);
    default:
      return kind satisfies never;
  }
}

/** Compares two serialized bounds of one type by the type's own order: negative, 0 or positive. */
export function compareBounds(type: PrimitiveType, a: Uint8Array, b: Uint8Array): number {
  const { kind } = parsePrimitive(type);
  if (kind === 'string' || kind === 'uuid' || kind === 'fixed' || kind === 'binary') return Buffer.compare(a, b);
  return compareValues(decodeValue(type, a), decodeValue(type, b));
}

/** Compares two values of one type: strings by code point, bytes unsigned, NaN above all other floats. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === 'number' && typeof b === 'number' && (Number.isNaN(a) || Number.isNaN(b))) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** Big-endian two's complement in the fewest bytes, as decimals are serialized. */
export function encodeBigEndian(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  return encodeFixedBigEndian(value, length);
}

/** Big-endian two's complement in exactly `length` bytes. */
export function encodeFixedBigEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Reads big-endian two's complement of any length. */
export function decodeBigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** A uuid's 16 bytes from its text. Throws `invalid_argument`. */
export function parseUuid(text: string): Uint8Array {
  const digits = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(digits))
    throw new IcebergError('invalid_argument', 'A uuid must have 32 hexadecimal digits.');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** A uuid's text from its 16 bytes, lower case with hyphens. */
export function formatUuid(bytes: Uint8Array): string {
  const digits = Buffer.from(bytes).toString('hex');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

function encode(primitive: Primitive, value: Value): Uint8Array | undefined {
  const { kind } = primitive;
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' ? Uint8Array.of(value ? 1 : 0) : undefined;
    case 'int':
    case 'date':
      return typeof value === 'number' ? write(4, (view) => view.setInt32(0, value, true)) : undefined;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return typeof value === 'bigint' ? write(8, (view) => view.setBigInt64(0, value, true)) : undefined;
    case 'float':
      return typeof value === 'number' ? write(4, (view) => view.setFloat32(0, value, true)) : undefined;
    case 'double':
      return typeof value === 'number' ? write(8, (view) => view.setFloat64(0, value, true)) : undefined;
    case 'decimal':
      return typeof value === 'bigint' ? encodeBigEndian(value) : undefined;
    case 'string':
      return typeof value === 'string' ? new TextEncoder().encode(value) : undefined;
    case 'uuid':
      return typeof value === 'string' ? parseUuid(value) : undefined;
    case 'fixed':
      return value instanceof Uint8Array && value.length === primitive.length ? value : undefined;
    case 'binary':
      return value instanceof Uint8Array ? value : undefined;
    case 'unknown':
    case 'variant':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function write(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}
