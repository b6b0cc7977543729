import { sortKeys, type SortedKeys } from './sorted-keys.ts';

/** A key as it was read: 64 bits of hash, and its bytes if the hash is not the key itself. */
export type Key = {
  readonly isExact: boolean;
  readonly high: number;
  readonly low: number;
  readonly bytes: { readonly data: Uint8Array; readonly length: number };
};

const NO_BYTES = { data: new Uint8Array(), length: 0 };
const FIRST_CAPACITY = 1024;
const BYTES_PER_KEY = 24;

/** A hash table of keys, in typed arrays: each key that is added gets the next number. Keys that are not exact are compared byte by byte. */
export class KeyTable {
  readonly isExact: boolean;
  count = 0;
  #slots = new Int32Array(FIRST_CAPACITY * 2);
  #high: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #low: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** Key `i` is `heap` from `ends[i]` to `ends[i + 1]`. */
  #ends: Uint32Array;
  #heap: Uint8Array;

  constructor(isExact: boolean) {
    this.isExact = isExact;
    this.#ends = new Uint32Array(isExact ? 1 : FIRST_CAPACITY + 1);
    this.#heap = new Uint8Array(isExact ? 0 : FIRST_CAPACITY * BYTES_PER_KEY);
  }

  /** The number of a key; -1 if it is not there. */
  find(key: Key): number {
    const mask = this.#slots.length - 1;
    for (let slot = key.low & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0) return -1;
      if (this.#low[number] === key.low && this.#high[number] === key.high && this.#hasBytes(number, key))
        return number;
    }
  }

  /** The number of a key, which is `count` as it was before if the key is new. */
  add(key: Key): number {
    const found = this.find(key);
    if (found >= 0) return found;
    if (this.count === this.#high.length) this.#grow();
    const number = this.count++;
    this.#high[number] = key.high;
    this.#low[number] = key.low;
    if (!this.isExact) this.#keep(number, key);
    this.#place(number);
    return number;
  }

  /** A key by its number. */
  key(number: number): Key {
    const [high, low] = [this.#high[number]!, this.#low[number]!];
    if (this.isExact) return { isExact: true, high, low, bytes: NO_BYTES };
    const data = this.#heap.subarray(this.#ends[number]!, this.#ends[number + 1]!);
    return { isExact: false, high, low, bytes: { data, length: data.length } };
  }

  /** The keys whose numbers are given, sorted; each value is the key's number. */
  sorted(numbers: Uint32Array): SortedKeys {
    const high = numbers.map((number) => this.#high[number]!);
    const low = numbers.map((number) => this.#low[number]!);
    const bytes = this.isExact ? undefined : { heap: this.#heap, ends: this.#ends };
    return sortKeys({ high, low, values: numbers, bytes });
  }

  #hasBytes(number: number, { bytes }: Key): boolean {
    if (this.isExact) return true;
    const start = this.#ends[number]!;
    if (this.#ends[number + 1]! - start !== bytes.length) return false;
    for (let at = 0; at < bytes.length; at++) if (this.#heap[start + at] !== bytes.data[at]) return false;
    return true;
  }

  #keep(number: number, { bytes }: Key): void {
    const start = this.#ends[number]!;
    const end = start + bytes.length;
    if (end > this.#heap.length) {
      const larger = new Uint8Array(Math.max(end, this.#heap.length * 2));
      larger.set(this.#heap.subarray(0, start));
      this.#heap = larger;
    }
    this.#heap.set(bytes.data.subarray(0, bytes.length), start);
    this.#ends[number + 1] = end;
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#low[number]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }

  #grow(): void {
    const capacity = this.#high.length * 2;
    this.#high = grown(this.#high, capacity);
    this.#low = grown(this.#low, capacity);
    if (!this.isExact) this.#ends = grown(this.#ends, capacity + 1);
    this.#slots = new Int32Array(capacity * 2);
    for (let number = 0; number < this.count; number++) this.#place(number);
  }
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}
