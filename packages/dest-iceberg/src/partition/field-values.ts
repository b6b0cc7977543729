import type { Data } from 'apache-arrow';
import {
  bindTransform,
  bucketOf,
  decodeValue,
  hashBytes,
  hashLong,
  parsePrimitive,
  parseTransform,
  type PrimitiveType,
  type Value,
} from '@fjord/iceberg/data-file-writing';
import { valueBytes, valueWords } from './arrow-rows.ts';

/** Gives the partition value of a row that is not null, in a form that a Map can be keyed by: bytes as hexadecimal text. */
export type RowKey = (row: number) => string | number | bigint | boolean;

const DAY_US = 86_400_000_000;
const HOUR_US = 3_600_000_000;
/** Below this high word a 64-bit integer is exact as a double. */
const EXACT_HIGH = 1 << 20;
const TWO_32 = 2 ** 32;

/** Makes the function from a column's rows to keys of partition values; without a BigInt a row where the transform allows. */
export function rowKeys(data: Data, type: PrimitiveType, transform: string): RowKey {
  const parsed = parseTransform(transform);
  const { kind } = parsePrimitive(type);
  if (parsed.kind === 'bucket' && ['long', 'time', 'timestamp', 'timestamptz'].includes(kind)) {
    const words = valueWords(data);
    return (row) => bucketOf(hashLong(words[2 * row]!, words[2 * row + 1]!), parsed.count);
  }
  if (parsed.kind === 'bucket' && ['string', 'binary', 'uuid', 'fixed'].includes(kind)) {
    const bytesOf = rowBytes(data, type);
    return (row) => bucketOf(hashBytes(bytesOf(row)), parsed.count);
  }
  const apply = bindTransform(parsed, type);
  const valueOf = rowValue(data, type);
  const general: RowKey = (row) => toKey(apply(valueOf(row)));
  if ((kind === 'timestamp' || kind === 'timestamptz') && (parsed.kind === 'day' || parsed.kind === 'hour')) {
    return countUnits(data, parsed.kind === 'day' ? DAY_US : HOUR_US, general);
  }
  return general;
}

/** The partition value that a key stands for; `type` is the table's, which may be wider than the batch's. */
export function valueOfKey(key: ReturnType<RowKey>, type: PrimitiveType): Value {
  const { kind } = parsePrimitive(type);
  if (typeof key === 'string' && (kind === 'binary' || kind === 'fixed'))
    return Uint8Array.from(Buffer.from(key, 'hex'));
  return kind === 'long' && typeof key === 'number' ? BigInt(key) : key;
}

/** Whole units since 1970 of timestamps in microseconds. */
function countUnits(data: Data, unit: number, general: RowKey): RowKey {
  const words = valueWords(data);
  return (row) => {
    const high = words[2 * row + 1]!;
    if (high >= EXACT_HIGH || high < -EXACT_HIGH) return general(row);
    const micros = high * TWO_32 + (words[2 * row]! >>> 0);
    const count = Math.floor(micros / unit);
    // The quotient may be rounded up to the next whole number.
    return count * unit > micros ? count - 1 : count;
  };
}

/** Reads a row that is not null as a single value of the type. */
export function rowValue(data: Data, type: PrimitiveType): (row: number) => Value {
  const { kind } = parsePrimitive(type);
  if (kind === 'boolean') {
    const bits = data.values as Uint8Array;
    return (row) => (bits[row >> 3]! & (1 << (row & 7))) !== 0;
  }
  if (kind === 'decimal') {
    const words = valueWords(data);
    return (row) => decimalOf(words, 4 * row);
  }
  if (kind === 'int' || kind === 'date') {
    const words = valueWords(data);
    return (row) => words[row]!;
  }
  const bytesOf = rowBytes(data, type);
  return (row) => decodeValue(type, bytesOf(row));
}

/** The bytes of a row: text, binary, or a fixed width value as Arrow and Iceberg both write it, little-endian. */
function rowBytes(data: Data, type: PrimitiveType): (row: number) => Uint8Array {
  const bytes = valueBytes(data);
  const { kind } = parsePrimitive(type);
  if (kind === 'string' || kind === 'binary') {
    const offsets = data.valueOffsets as Int32Array;
    return (row) => bytes.subarray(offsets[row], offsets[row + 1]);
  }
  const width = widthOf(type);
  return (row) => bytes.subarray(row * width, (row + 1) * width);
}

function widthOf(type: PrimitiveType): number {
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'fixed') return primitive.length;
  if (primitive.kind === 'uuid') return 16;
  return primitive.kind === 'float' ? 4 : 8;
}

function decimalOf(words: Int32Array, at: number): bigint {
  const low = (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
  return (BigInt(words[at + 3]!) << 96n) | (BigInt(words[at + 2]! >>> 0) << 64n) | low;
}

function toKey(value: Value | null): ReturnType<RowKey> {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (value === null) throw new Error('a value became null by a transform');
  return value;
}
