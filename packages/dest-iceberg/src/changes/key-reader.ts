import { type Data, DataType } from 'apache-arrow';
import { type ArrowRows, isValid, valueBytes, valueWords } from '../partition/arrow-rows.ts';

/** Marks in front of each part of a key that is read as bytes. */
const NULL = 0;
const VALUE = 1;
const MIN_BYTES = 256;
/** Bits of every NaN, so that they are one key. */
const NAN_HIGH = 0x7ff80000;

/** Writes the part of a row's key that lies in one column. */
type WritePart = (row: number, out: KeyBytes) => void;

/**
 * Reads the keys of the rows of one batch. After `read`, `high` and `low` are 64 bits of hash of the row's key. A key of one column of at
 * most eight bytes is exact: there the hash is a permutation of the key, equal hashes are equal keys, and there are no `bytes`. Int and
 * long are one, and so are float and double: a column may have been widened between two files. With nulls a key cannot be exact: `read` is
 * false for a row whose exact key is null.
 */
export class KeyReader {
  readonly isExact: boolean;
  readonly bytes = new KeyBytes();
  high = 0;
  low = 0;
  readonly #parts: WritePart[];
  readonly #only: Data | undefined;
  readonly #words: ReadWords | undefined;

  /** `columns` are the numbers of the key's columns; an absent column of `rows` is null in every row. `exact: false` asks for bytes in any case. */
  constructor(rows: ArrowRows, columns: readonly number[], { exact = true }: { exact?: boolean } = {}) {
    const data = columns.map((column) => rows.columns[column]);
    this.#only = exact && data.length === 1 ? data[0] : undefined;
    this.#words = this.#only && wordsOf(this.#only);
    this.isExact = this.#words !== undefined;
    this.#parts = this.#words ? [] : data.map(nullablePart);
  }

  /** Reads a row's key; false if it is null and can equal no other. */
  read(row: number): boolean {
    if (this.#words && this.#only) {
      if (!isValid(this.#only, row)) return false;
      this.#words(row, this);
      this.#permute();
      return true;
    }
    this.bytes.length = 0;
    for (const part of this.#parts) part(row, this.bytes);
    this.#hash();
    return true;
  }

  /** Each step can be undone, so different keys stay different. */
  #permute(): void {
    let { high, low } = this;
    low ^= mix(high ^ 0x3c6ef372);
    high ^= mix(low + 0x1f83d9ab);
    low ^= mix(high ^ 0x5be0cd19);
    high ^= mix(low);
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  #hash(): void {
    const { data, length } = this.bytes;
    let [high, low] = [0x6a09e667 ^ length, 0xbb67ae85];
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
      high = Math.imul(high ^ word, 0x9e3779b1);
      high ^= high >>> 15;
      low = Math.imul(low + word, 0x85ebca77);
      low ^= low >>> 13;
    }
    for (; at < length; at++) {
      high = Math.imul(high ^ data[at]!, 0xc2b2ae3d);
      low = Math.imul(low + data[at]!, 0x27d4eb2f);
    }
    this.high = mix(high + low) >>> 0;
    this.low = mix(low ^ (high >>> 3)) >>> 0;
  }
}

/** The bytes of one key, written part by part. */
export class KeyBytes {
  data = new Uint8Array(MIN_BYTES);
  length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.data[this.length++] = value;
  }

  word(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.data[this.length++] = value >>> shift;
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    for (let at = start; at < end; at++) this.data[this.length++] = source[at]!;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.data.length) return;
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.length + bytes));
    larger.set(this.data);
    this.data = larger;
  }
}

/** Murmur3's finalizer: a permutation of 32 bits. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** A value of at most eight bytes as two words. */
type ReadWords = (row: number, out: { high: number; low: number }) => void;

function wordsOf(data: Data): ReadWords | undefined {
  const { type } = data;
  if (DataType.isBool(type)) {
    const bits = data.values as Uint8Array;
    return (row, out) => {
      out.high = 0;
      out.low = (bits[row >> 3]! >> (row & 7)) & 1;
    };
  }
  if (DataType.isFloat(type)) return floatWords(data);
  if (DataType.isDecimal(type) || DataType.isFixedSizeBinary(type)) return undefined;
  const width = DataType.isInt(type) ? type.bitWidth / 8 : DataType.isDate(type) ? 4 : undefined;
  if (width === 4) {
    const words = valueWords(data);
    return (row, out) => {
      out.low = words[row]!;
      out.high = out.low >> 31;
    };
  }
  if (width !== 8 && !DataType.isTimestamp(type) && !DataType.isTime(type)) return undefined;
  const words = valueWords(data);
  return (row, out) => {
    out.low = words[2 * row]!;
    out.high = words[2 * row + 1]!;
  };
}

function floatWords(data: Data): ReadWords {
  const values = data.values as Float32Array | Float64Array;
  const double = new Float64Array(1);
  const words = new Int32Array(double.buffer);
  return (row, out) => {
    const value = values[row]!;
    // Zero has two signs and NaN many forms, of which databases make one key.
    double[0] = value === 0 ? 0 : value;
    out.low = Number.isNaN(value) ? 0 : words[0]!;
    out.high = Number.isNaN(value) ? NAN_HIGH : words[1]!;
  };
}

function nullablePart(data: Data | undefined): WritePart {
  if (!data) return (_row, out) => out.byte(NULL);
  const part = valuePart(data);
  return (row, out) => {
    const isNull = !isValid(data, row);
    out.byte(isNull ? NULL : VALUE);
    if (!isNull) part(row, out);
  };
}

function valuePart(data: Data): WritePart {
  const { type } = data;
  const words = wordsOf(data);
  if (words) {
    const pair = { high: 0, low: 0 };
    return (row, out) => {
      words(row, pair);
      out.word(pair.low);
      out.word(pair.high);
    };
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const [bytes, offsets] = [valueBytes(data), data.valueOffsets as Int32Array];
    return (row, out) => {
      out.word(offsets[row + 1]! - offsets[row]!);
      out.copy(bytes, offsets[row]!, offsets[row + 1]!);
    };
  }
  if (DataType.isDecimal(type) || DataType.isFixedSizeBinary(type)) {
    const [bytes, width] = [valueBytes(data), DataType.isDecimal(type) ? 16 : type.byteWidth];
    return (row, out) => out.copy(bytes, row * width, (row + 1) * width);
  }
  return nestedPart(data);
}

/** Rows without a key are told apart by all of their columns, nested ones too. */
function nestedPart(data: Data): WritePart {
  const children = data.children.map(nullablePart);
  if (DataType.isStruct(data.type)) {
    return (row, out) => {
      for (const child of children) child(row, out);
    };
  }
  const [items] = children;
  const offsets = data.valueOffsets as Int32Array;
  if (!items) throw new Error(`a column of Arrow type ${data.typeId} cannot be part of a key`);
  return (row, out) => {
    out.word(offsets[row + 1]! - offsets[row]!);
    for (let item = offsets[row]!; item < offsets[row + 1]!; item++) items(item, out);
  };
}
