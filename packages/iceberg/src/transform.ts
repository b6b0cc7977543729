import { type PrimitiveType, parsePrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { hashBytes, hashLong } from './murmur3.ts';
import { type Value, encodeValue } from './single-value.ts';

/** A partition transform taken apart (spec: Partition Transforms). `unknown`: one of a later spec, whose partitions can be read but not made. */
export type Transform =
  | { readonly kind: 'identity' | 'void' | 'year' | 'month' | 'day' | 'hour' | 'unknown' }
  | { readonly kind: 'bucket'; readonly count: number }
  | { readonly kind: 'truncate'; readonly width: number };

const PLAIN = ['identity', 'void', 'year', 'month', 'day', 'hour'] as const;
const DAY_US = 86_400_000_000n;
const HOUR_US = 3_600_000_000n;

/** Takes a transform's text (`identity`, `bucket[16]`, `day`, …) apart. Throws `invalid_metadata` for a width or count below 1. */
export function parseTransform(text: string): Transform {
  const plain = PLAIN.find((kind) => kind === text);
  if (plain) return { kind: plain };
  const [, kind, digits] = /^(bucket|truncate)\[(\d+)\]$/.exec(text) ?? [];
  const size = Number(digits);
  if (kind === undefined) return { kind: 'unknown' };
  if (!(size >= 1 && size <= 0x7fff_ffff))
    throw new IcebergError('invalid_metadata', `Transform "${text}" needs a number from 1 to 2147483647.`);
  return kind === 'bucket' ? { kind, count: size } : { kind: 'truncate', width: size };
}

/** The type of a transform's results; undefined if the transform cannot be applied to values of this type. */
export function transformResult(transform: Transform, source: PrimitiveType): PrimitiveType | undefined {
  const { kind } = parsePrimitive(source);
  const isTimestamp = kind.startsWith('timestamp');
  switch (transform.kind) {
    case 'identity':
      return kind === 'variant' || kind === 'unknown' ? undefined : source;
    case 'void':
    case 'unknown':
      return source;
    case 'bucket':
      return ['boolean', 'float', 'double', 'variant', 'unknown'].includes(kind) ? undefined : 'int';
    case 'truncate':
      return ['int', 'long', 'decimal', 'string', 'binary'].includes(kind) ? source : undefined;
    case 'year':
    case 'month':
      return kind === 'date' || isTimestamp ? 'int' : undefined;
    case 'day':
      // The reference implementations read it as a date: the same number with a logical type.
      return kind === 'date' || isTimestamp ? 'date' : undefined;
    case 'hour':
      return isTimestamp ? 'int' : undefined;
    default:
      return transform satisfies never;
  }
}

/** Makes the function from a column's values to partition values. Null stays null. Throws `unsupported` where `transformResult` is undefined or the transform unknown. */
export function bindTransform(transform: Transform, source: PrimitiveType): (value: Value | null) => Value | null {
  if (transform.kind === 'unknown' || transformResult(transform, source) === undefined) {
    throw new IcebergError(
      'unsupported',
      `Transform ${transform.kind} cannot be applied to a column of type ${source}.`,
    );
  }
  if (transform.kind === 'void') return () => null;
  const apply = bind(transform, source);
  return (value) => (value === null ? null : apply(value));
}

/** The bucket of a 32-bit hash: the sign bit is dropped, then it is taken modulo the number of buckets (spec: Bucket Transform Details). */
export function bucketOf(hash: number, count: number): number {
  return (hash & 0x7fff_ffff) % count;
}

type Apply = (value: Value) => Value;

function bind(transform: Transform, source: PrimitiveType): Apply {
  switch (transform.kind) {
    case 'bucket': {
      const hash = hashFunction(source);
      return (value) => bucketOf(hash(value), transform.count);
    }
    case 'truncate':
      return truncateFunction(transform.width);
    case 'year':
      return (value) => yearsAndMonths(daysOf(value, source))[0];
    case 'month':
      return (value) => yearsAndMonths(daysOf(value, source))[1];
    case 'day':
      return (value) => daysOf(value, source);
    case 'hour':
      return (value) => Number(floorDivide(microsOf(BigInt(value as bigint), source), HOUR_US));
    case 'identity':
      return (value) => value;
    case 'void':
    case 'unknown':
      throw new Error(`transform ${transform.kind} gives no values`);
    default:
      return transform satisfies never;
  }
}

/** Spec, Appendix B: integers and times hash as 64-bit integers, nanoseconds as microseconds, all else by its bytes. */
function hashFunction(source: PrimitiveType): (value: Value) => number {
  const { kind } = parsePrimitive(source);
  if (kind === 'int' || kind === 'date') return (value) => hashLong(Number(value), Number(value) < 0 ? -1 : 0);
  if (kind === 'long' || kind === 'time' || kind.startsWith('timestamp')) {
    return (value) => {
      const long = microsOf(BigInt(value as bigint), source);
      return hashLong(Number(BigInt.asIntN(32, long)), Number(BigInt.asIntN(32, long >> 32n)));
    };
  }
  return (value) => hashBytes(encodeValue(source, value));
}

function truncateFunction(width: number): Apply {
  const wide = BigInt(width);
  return (value) => {
    if (typeof value === 'number') return (value - floorModulo(value, width)) | 0;
    if (typeof value === 'bigint') return value - (((value % wide) + wide) % wide);
    if (typeof value === 'string') return truncateText(value, width);
    return value instanceof Uint8Array ? value.slice(0, width) : value;
  };
}

/** The first `width` code points. */
function truncateText(text: string, width: number): string {
  if (text.length <= width) return text;
  let end = 0;
  for (let count = 0; count < width && end < text.length; count++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

function microsOf(value: bigint, source: PrimitiveType): bigint {
  return source.endsWith('_ns') ? floorDivide(value, 1000n) : value;
}

/** Days since 1970 of a date or timestamp. */
function daysOf(value: Value, source: PrimitiveType): number {
  return typeof value === 'bigint' ? Number(floorDivide(microsOf(value, source), DAY_US)) : Number(value);
}

/** Years and months since 1970 of a day, by the proleptic Gregorian calendar; a `Date` cannot hold all days of an Iceberg date. */
function yearsAndMonths(day: number): [years: number, months: number] {
  // Counted from March 1st of year 0, so that the leap day is a year's last (H. Hinnant, chrono-compatible date algorithms).
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year - 1970, (year - 1970) * 12 + month - 1];
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function floorModulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
