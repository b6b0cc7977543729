import { releaseMemory } from './compression.ts';
import type { Dictionary, DictionaryLimits } from './dictionary.ts';
import type { PageBuffer } from './page-buffer.ts';
import { byteArrayBounds } from './statistics/byte-array-bounds.ts';
import type { Bounds } from './statistics/bounds.ts';
import { ByteArrayValues } from './values/byte-array-values.ts';

const FIRST_SLOTS = 64;

/** A dictionary of byte arrays: a hash table with open addressing; hashes are kept, so that bytes are compared only where those are equal. */
export class ByteArrayDictionary implements Dictionary {
  readonly #values: ByteArrayValues;
  readonly #limits: DictionaryLimits;
  readonly #entries = new ByteArrayValues();
  #hashes = new Int32Array(FIRST_SLOTS / 2);
  #slots = new Int32Array(FIRST_SLOTS);

  constructor(values: ByteArrayValues, limits: DictionaryLimits) {
    this.#values = values;
    this.#limits = limits;
  }

  get count(): number {
    return this.#entries.count;
  }

  get plainBytes(): number {
    return this.#entries.plainBytes;
  }

  addPage(count: number, indices: Uint32Array): boolean {
    const { maxEntries, maxBytes } = this.#limits;
    const { offsets } = this.#values;
    const before = this.count;
    for (let index = 0; index < count; index++) {
      const start = offsets[index]!;
      const length = offsets[index + 1]! - start;
      const hash = hashBytes(this.#values, start, length);
      const slot = this.#find(hash, start, length);
      const entry = this.#slots[slot]!;
      if (entry > 0) indices[index] = entry - 1;
      else if (this.count === maxEntries || this.plainBytes + length + 4 > maxBytes) {
        this.#entries.count = before;
        return false;
      } else indices[index] = this.#add(slot, hash, index);
    }
    return true;
  }

  writePlain(page: PageBuffer): void {
    this.#entries.writePlain(page);
  }

  release(): void {
    const { data, offsets } = this.#entries;
    for (const held of [data, offsets, this.#hashes, this.#slots]) releaseMemory(held);
  }

  boundsOf(indices: Int32Array): Bounds | undefined {
    return byteArrayBounds(this.#entries, indices, indices.length);
  }

  #find(hash: number, start: number, length: number): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry > 0; entry = slots[slot]!) {
      if (hashes[entry - 1] === hash && this.#isEqual(entry - 1, start, length)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isEqual(entry: number, start: number, length: number): boolean {
    const { data, offsets } = this.#entries;
    const from = offsets[entry]!;
    if (offsets[entry + 1]! - from !== length) return false;
    const source = this.#values.data;
    for (let k = 0; k < length; k++) if (data[from + k] !== source[start + k]) return false;
    return true;
  }

  #add(slot: number, hash: number, valueIndex: number): number {
    const entries = this.#entries;
    const { data, offsets } = this.#values;
    const [start, end] = [offsets[valueIndex]!, offsets[valueIndex + 1]!];
    const index = entries.count;
    entries.reserveValues(1);
    entries.reserveData(end - start);
    entries.data.set(data.subarray(start, end), entries.dataBytes);
    entries.offsets[index + 1] = entries.dataBytes + end - start;
    entries.count += 1;
    if (entries.count > this.#hashes.length) {
      const larger = new Int32Array(this.#hashes.length * 2);
      larger.set(this.#hashes);
      releaseMemory(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[index] = hash;
    this.#slots[slot] = entries.count;
    if (2 * entries.count > this.#slots.length) this.#grow();
    return index;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    releaseMemory(this.#slots);
    this.#slots = slots;
  }
}

/** Mixes a word at a time; the last word's bytes beyond the value are masked out. */
function hashBytes({ view }: ByteArrayValues, start: number, length: number): number {
  let hash = Math.imul(length, 0x27d4_eb2f);
  const whole = length & ~3;
  for (let k = 0; k < whole; k += 4) {
    hash = Math.imul(hash ^ view.getInt32(start + k, true), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  const rest = length & 3;
  if (rest > 0) hash = Math.imul(hash ^ (view.getInt32(start + whole, true) & ((1 << (8 * rest)) - 1)), 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x2c1b_3c6d);
  return hash ^ (hash >>> 16);
}
