import { KeyReader } from './key-reader.ts';
import type { Key } from './key-table.ts';
import { sortKeys, type SortedKeys } from './sorted-keys.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';

const BYTES_PER_KEY = 24;

/** Gathers the keys of a file's rows, in the order of the rows, and sorts them in the end. */
export class KeyIndexBuilder {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #positions: Uint32Array;
  #ends: Uint32Array | undefined;
  #heap = new Uint8Array();
  #position = 0;
  #count = 0;

  constructor(rowCount: number) {
    this.#high = new Uint32Array(rowCount);
    this.#low = new Uint32Array(rowCount);
    this.#positions = new Uint32Array(rowCount);
  }

  /** Adds the rows of the file that come next. */
  addRows(rows: ArrowRows, key: KeyReader): void {
    for (let row = 0; row < rows.length; row++) {
      if (key.read(row)) this.add(key);
      else this.#position += 1;
    }
  }

  /** Adds the next row's key. */
  add(key: Key): void {
    if (this.#position >= this.#high.length) throw new Error('a file has more rows than its manifest says');
    const [position, entry] = [this.#position++, this.#count++];
    this.#high[entry] = key.high;
    this.#low[entry] = key.low;
    this.#positions[entry] = position;
    if (!key.isExact) this.#keep(position, key);
  }

  finish(): SortedKeys {
    const own = (words: Uint32Array) => words.subarray(0, this.#count);
    const bytes = this.#ends && { heap: this.#heap, ends: this.#ends };
    return sortKeys({ high: own(this.#high), low: own(this.#low), values: own(this.#positions), bytes });
  }

  #keep(position: number, { bytes }: Key): void {
    this.#ends ??= new Uint32Array(this.#high.length + 1);
    const start = this.#ends[position]!;
    const end = start + bytes.length;
    if (end > this.#heap.length) {
      const larger = new Uint8Array(Math.max(end, this.#heap.length * 2, this.#high.length * BYTES_PER_KEY));
      larger.set(this.#heap.subarray(0, start));
      this.#heap = larger;
    }
    this.#heap.set(bytes.data.subarray(0, bytes.length), start);
    this.#ends[position + 1] = end;
  }
}

/** Bytes that an index takes in memory. */
export function indexBytes({ values, bytes }: SortedKeys): number {
  return values.length * 12 + (bytes ? bytes.heap.byteLength + bytes.ends.byteLength : 0);
}

/** An index as one piece of a file, and back. */
export function packIndex({ high, low, values, bytes }: SortedKeys): Uint8Array[] {
  const { heap, ends } = bytes ?? { heap: new Uint8Array(), ends: new Uint32Array() };
  const header = Uint32Array.of(values.length, ends.length);
  return [header, high, low, values, ends, heap].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
}

/** Reads what `packIndex` wrote. */
export function unpackIndex(piece: Uint8Array<ArrayBuffer>): SortedKeys {
  let at = piece.byteOffset;
  const words = (count: number) => {
    const array = new Uint32Array(piece.buffer, at, count);
    at += array.byteLength;
    return array;
  };
  const [count = 0, ends = 0] = words(2);
  const index = { high: words(count), low: words(count), values: words(count) };
  const keyEnds = words(ends);
  const heap = new Uint8Array(piece.buffer, at, piece.byteOffset + piece.byteLength - at);
  return { ...index, bytes: ends === 0 ? undefined : { heap, ends: keyEnds } };
}
