import { type Data, DataType } from 'apache-arrow';
import { type DataFile, decodeValue, type PrimitiveType, type Value } from '@fjord/iceberg';
import { isValid, valueBytes, valueWords } from '../partition/arrow-rows.ts';

/** Bytes of text that fit a double exactly. */
const PREFIX_BYTES = 6;
/** Doubles are rounded: bounds are moved apart by more than that. */
const SLACK = 1e-9;
const TWO_32 = 2 ** 32;

/** What of the keys that are looked for can be told by the bounds of files: the values of their first column, as numbers of the same order. */
export class KeyRange {
  readonly #field: { id: number; type: PrimitiveType };
  readonly #values: Float64Array;

  private constructor(field: { id: number; type: PrimitiveType }, values: Float64Array) {
    this.#field = field;
    this.#values = values;
  }

  /** Undefined where bounds say nothing of the values. `rows` are places in `columns`: one row of each key. */
  static of(
    field: { id: number; type: PrimitiveType },
    rows: readonly { data: Data; indices: ArrayLike<number> }[],
  ): KeyRange | undefined {
    const values = new Float64Array(rows.reduce((sum, { indices }) => sum + indices.length, 0));
    let count = 0;
    for (const { data, indices } of rows) {
      const rank = rankOf(data);
      for (let index = 0; index < indices.length; index++) {
        const row = indices[index]!;
        const value = rank && isValid(data, row) ? rank(row) : Number.NaN;
        if (Number.isNaN(value)) return undefined;
        values[count++] = value;
      }
    }
    return new KeyRange(field, values.toSorted());
  }

  /** Whether a file may hold any of the keys. */
  mayBeIn({ lowerBounds, upperBounds }: DataFile): boolean {
    const { id, type } = this.#field;
    const [lower, upper] = [lowerBounds?.get(id), upperBounds?.get(id)];
    const least = lower && rankOfValue(decodeValue(type, lower));
    const most = upper && rankOfValue(decodeValue(type, upper));
    const first = least === undefined ? 0 : this.#firstFrom(least - Math.abs(least) * SLACK);
    const value = this.#values[first];
    return value !== undefined && (most === undefined || !(value > most + Math.abs(most) * SLACK));
  }

  /** The number of the first value that is not below `least`. */
  #firstFrom(least: number): number {
    let [start, end] = [0, this.#values.length];
    while (start < end) {
      const middle = (start + end) >>> 1;
      if (this.#values[middle]! < least) start = middle + 1;
      else end = middle;
    }
    return start;
  }
}

/** The rank of a row's value: a number that is never lower for a higher value. Uuids have no bounds to compare with. */
function rankOf(data: Data): ((row: number) => number) | undefined {
  const { type } = data;
  if (DataType.isFloat(type)) {
    const values = data.values as Float32Array | Float64Array;
    return (row) => values[row]!;
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const [bytes, offsets] = [valueBytes(data), data.valueOffsets as Int32Array];
    return (row) => rankOfBytes(bytes.subarray(offsets[row], offsets[row + 1]));
  }
  if (DataType.isDecimal(type)) {
    const words = valueWords(data);
    return (row) => rankOfWords(words.subarray(4 * row, 4 * row + 4));
  }
  if (DataType.isTimestamp(type) || DataType.isTime(type) || (DataType.isInt(type) && type.bitWidth === 64)) {
    const words = valueWords(data);
    return (row) => words[2 * row + 1]! * TWO_32 + (words[2 * row]! >>> 0);
  }
  if (!DataType.isInt(type) && !DataType.isDate(type)) return undefined;
  const words = valueWords(data);
  return (row) => words[row]!;
}

function rankOfWords(words: Int32Array): number {
  return ((words[3]! * TWO_32 + (words[2]! >>> 0)) * TWO_32 + (words[1]! >>> 0)) * TWO_32 + (words[0]! >>> 0);
}

function rankOfValue(value: Value): number | undefined {
  if (typeof value === 'string') return rankOfBytes(Buffer.from(value));
  if (value instanceof Uint8Array) return rankOfBytes(value);
  return Number.isNaN(value) ? undefined : Number(value);
}

function rankOfBytes(bytes: Uint8Array): number {
  let rank = 0;
  for (let at = 0; at < PREFIX_BYTES; at++) rank = rank * 256 + (bytes[at] ?? 0);
  return rank;
}
