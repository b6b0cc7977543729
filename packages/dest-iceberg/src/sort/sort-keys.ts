import { bindTransform, parsePrimitive, parseTransform, type PrimitiveType } from '@fjord/iceberg/data-file-writing';
import type { Data } from 'apache-arrow';
import { type ArrowRows, isValid, valueBytes, valueWords } from '../partition/arrow-rows.ts';
import { rowKeys, rowValue } from '../partition/field-values.ts';
import type { SortColumn } from './sort-plan.ts';

/**
 * What one column says of the order of rows: first a number, and where that does not tell two values apart, whole values. Null is an
 * infinity, which no value is.
 */
type SortKey = {
  readonly lanes: Float64Array;
  readonly words?: { readonly values: Int32Array; readonly size: number };
  readonly bytes?: ByteRanges;
  readonly sign: 1 | -1;
};

type ByteRanges = { readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array };

/** What orders the rows of one batch. Views of its memory, but for a number a row and column. */
export type SortKeys = { readonly length: number; readonly keys: readonly SortKey[] };

const TWO_32 = 2 ** 32;
/** So many bytes of a text are exact as a double. */
const LANE_BYTES = 6;

/** The keys of a batch's rows, column by column of the order. */
export function sortKeys({ length, columns }: ArrowRows, order: readonly SortColumn[]): SortKeys {
  const keys = order.flatMap((column): SortKey[] => {
    const data = columns[column.index];
    return data ? [finish(keyOf(data, length, column), { data, length, column })] : [];
  });
  return { length, keys };
}

/** Below 0 if row `rowA` of `a` comes first, above 0 if row `rowB` of `b` does, 0 if neither must. Both have keys of the same order and types. */
export function compareRows(a: SortKeys, rowA: number, b: SortKeys, rowB: number): number {
  for (let index = 0; index < a.keys.length; index++) {
    const [keyA, keyB] = [a.keys[index]!, b.keys[index]!];
    const [laneA, laneB] = [keyA.lanes[rowA]!, keyB.lanes[rowB]!];
    if (laneA !== laneB) return laneA < laneB ? -1 : 1;
    if (laneA === Infinity || laneA === -Infinity) continue;
    const rest = keyA.words
      ? compareWords(keyA, rowA, keyB, rowB)
      : keyA.bytes
        ? compareBytes(keyA, rowA, keyB, rowB)
        : 0;
    if (rest !== 0) return rest * keyA.sign;
  }
  return 0;
}

type Unsigned = Omit<SortKey, 'sign'>;

/** By type and transform, ascending and without regard to nulls. */
function keyOf(data: Data, length: number, { type, transform }: SortColumn): Unsigned {
  const { kind } = parsePrimitive(type);
  const parsed = parseTransform(transform);
  if (parsed.kind === 'truncate') return truncatedKey(data, length, { type, width: parsed.width });
  if (parsed.kind !== 'identity') return numberKey(data, length, rowKeys(data, type, transform));
  switch (kind) {
    case 'boolean':
      return numberKey(data, length, rowValue(data, type));
    case 'int':
    case 'date': {
      const words = valueWords(data);
      return numberKey(data, length, (row) => words[row]!);
    }
    case 'float': {
      const words = valueWords(data);
      return numberKey(data, length, (row) => ordered(words[row]!));
    }
    case 'double':
      return wordsKey(orderedDoubles(valueWords(data), length), length, 2);
    case 'decimal':
      return wordsKey(valueWords(data), length, 4);
    case 'string':
    case 'binary':
    case 'uuid':
    case 'fixed':
      return bytesKey(byteRanges(data, length, type), length);
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return wordsKey(valueWords(data), length, 2);
    case 'variant':
    case 'unknown':
      throw new Error(`columns of type ${kind} have no order`);
    default:
      return kind satisfies never;
  }
}

/** Turns the key around for a descending column, and gives nulls their place. */
function finish(
  { lanes, words, bytes }: Unsigned,
  { data, length, column }: { data: Data; length: number; column: SortColumn },
): SortKey {
  const { isDescending, nullsFirst } = column;
  const nullLane = nullsFirst ? -Infinity : Infinity;
  if (isDescending || data.nullCount > 0) {
    for (let row = 0; row < length; row++) {
      if (!isValid(data, row)) lanes[row] = nullLane;
      else if (isDescending) lanes[row] = -lanes[row]!;
    }
  }
  return { lanes, ...(words && { words }), ...(bytes && { bytes }), sign: isDescending ? -1 : 1 };
}

/** Values that a double holds exactly. */
function numberKey(data: Data, length: number, valueOf: (row: number) => unknown): Unsigned {
  const lanes = new Float64Array(length);
  for (let row = 0; row < length; row++) if (isValid(data, row)) lanes[row] = Number(valueOf(row));
  return { lanes };
}

/** Integers of `size` 32-bit words, the lowest first: the lane has the highest 64 bits, rounded. */
function wordsKey(values: Int32Array, length: number, size: number): Unsigned {
  const lanes = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    const top = row * size + size - 1;
    lanes[row] = values[top]! * TWO_32 + (values[top - 1]! >>> 0);
  }
  return { lanes, words: { values, size } };
}

function bytesKey(ranges: ByteRanges, length: number): Unsigned {
  const lanes = new Float64Array(length);
  for (let row = 0; row < length; row++) lanes[row] = laneOf(ranges, row, 0);
  return { lanes, bytes: ranges };
}

/** Some bytes of a value as one number; those beyond its end are zero. */
function laneOf({ bytes, starts, ends }: ByteRanges, row: number, offset: number): number {
  const [first, end] = [starts[row]! + offset, ends[row]!];
  let lane = 0;
  for (let at = first; at < first + LANE_BYTES; at++) lane = lane * 256 + (at < end ? bytes[at]! : 0);
  return lane;
}

/**
 * What tells values of the first column apart where the lane does not: their bytes number `depth`, six at a time, in the order's direction.
 * Undefined where there are none: for null, for a column of numbers, and behind the value's end.
 */
export function laterLane({ keys: [key] }: SortKeys, row: number, depth: number): number | undefined {
  const lane = key?.lanes[row];
  if (!key?.bytes || lane === Infinity || lane === -Infinity) return undefined;
  const { starts, ends } = key.bytes;
  const offset = depth * LANE_BYTES;
  return starts[row]! + offset < ends[row]! ? laneOf(key.bytes, row, offset) * key.sign : undefined;
}

function truncatedKey(data: Data, length: number, { type, width }: { type: PrimitiveType; width: number }): Unsigned {
  const { kind } = parsePrimitive(type);
  if (kind === 'string' || kind === 'binary') {
    const { bytes, starts, ends } = byteRanges(data, length, type);
    const cut = kind === 'string' ? textEnd : (_: Uint8Array, start: number) => start + width;
    const short = Int32Array.from(ends, (end, row) => Math.min(end, cut(bytes, starts[row]!, { end, width })));
    return bytesKey({ bytes, starts, ends: short }, length);
  }
  const [apply, valueOf] = [bindTransform({ kind: 'truncate', width }, type), rowValue(data, type)];
  if (kind === 'int') return numberKey(data, length, (row) => apply(valueOf(row)));
  const size = kind === 'decimal' ? 4 : 2;
  const words = new Int32Array(length * size);
  for (let row = 0; row < length; row++) {
    if (!isValid(data, row)) continue;
    let rest = BigInt(apply(valueOf(row)) as bigint);
    for (let word = 0; word < size; word++, rest >>= 32n) words[row * size + word] = Number(BigInt.asIntN(32, rest));
  }
  return wordsKey(words, length, size);
}

/** Where the first `width` characters of a UTF-8 text end: each begins with a byte that continues none. */
function textEnd(bytes: Uint8Array, start: number, { end, width }: { end: number; width: number }): number {
  let left = width + 1;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80 && --left === 0) return at;
  return end;
}

function byteRanges(data: Data, length: number, type: PrimitiveType): ByteRanges {
  const bytes = valueBytes(data);
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'string' || primitive.kind === 'binary') {
    const offsets = data.valueOffsets as Int32Array;
    return { bytes, starts: offsets, ends: offsets.subarray(1, length + 1) };
  }
  const width = primitive.kind === 'fixed' ? primitive.length : 16;
  const starts = Int32Array.from({ length: length + 1 }, (_, row) => row * width);
  return { bytes, starts, ends: starts.subarray(1) };
}

/** The bits of a float as an integer that orders as the spec says (Sorting): -NaN, -Infinity, …, -0, 0, …, Infinity, NaN. */
function ordered(word: number): number {
  return word < 0 ? word ^ 0x7fff_ffff : word;
}

function orderedDoubles(words: Int32Array, length: number): Int32Array {
  const turned = words.slice(0, 2 * length);
  for (let high = 1; high < turned.length; high += 2) {
    if (turned[high]! >= 0) continue;
    turned[high]! ^= 0x7fff_ffff;
    turned[high - 1] = ~turned[high - 1]!;
  }
  return turned;
}

function compareWords(a: SortKey, rowA: number, b: SortKey, rowB: number): number {
  const [wordsA, wordsB] = [a.words!, b.words!];
  const { size } = wordsA;
  const [atA, atB] = [rowA * size, rowB * size];
  const [topA, topB] = [wordsA.values[atA + size - 1]!, wordsB.values[atB + size - 1]!];
  if (topA !== topB) return topA - topB;
  for (let word = size - 2; word >= 0; word--) {
    const difference = (wordsA.values[atA + word]! >>> 0) - (wordsB.values[atB + word]! >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareBytes(a: SortKey, rowA: number, b: SortKey, rowB: number): number {
  const [rangesA, rangesB] = [a.bytes!, b.bytes!];
  const [startA, startB] = [rangesA.starts[rowA]!, rangesB.starts[rowB]!];
  const [lengthA, lengthB] = [rangesA.ends[rowA]! - startA, rangesB.ends[rowB]! - startB];
  const shared = Math.min(lengthA, lengthB);
  for (let at = 0; at < shared; at++) {
    const difference = rangesA.bytes[startA + at]! - rangesB.bytes[startB + at]!;
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
