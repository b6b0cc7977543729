import { releaseMemory } from './compression.ts';
import type { Dictionary, DictionaryLimits } from './dictionary.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { WordValues } from './values/word-values.ts';

const FIRST_SLOTS = 64;
/** Integers that are no further apart are found by their distance from the least, without hashing; entries are noted in 16 bits. */
const MAX_DISTANCE = 65_534;

/** A dictionary of values of one or two words: a table by distance while all are integers close together, else a hash table with open addressing. */
export class WordDictionary implements Dictionary {
  readonly #values: WordValues;
  readonly #maxEntries: number;
  #entries: Int32Array<ArrayBuffer>;
  #slots = new Int32Array(FIRST_SLOTS);
  /** Entries by their low word's distance from `least`, counted from one; undefined once values are hashed. */
  #near: { least: number; high: number; entries: Uint16Array } | undefined;
  count = 0;

  constructor(values: WordValues, { maxEntries, maxBytes }: DictionaryLimits) {
    this.#values = values;
    this.#maxEntries = Math.min(maxEntries, Math.floor(maxBytes / (4 * values.width)));
    this.#entries = new Int32Array((FIRST_SLOTS * values.width) / 2);
    this.#near = { least: 0, high: 0, entries: new Uint16Array(0) };
  }

  get plainBytes(): number {
    return this.count * this.#values.width * 4;
  }

  addPage(count: number, indices: Uint32Array): boolean {
    const before = this.count;
    const isAdded = this.#addAll(count, indices);
    if (!isAdded) this.count = before;
    return isAdded;
  }

  writePlain(page: PageBuffer): void {
    page.append(new Uint8Array(this.#entries.buffer, 0, this.plainBytes));
  }

  release(): void {
    for (const held of [this.#entries, this.#slots, ...(this.#near ? [this.#near.entries] : [])]) releaseMemory(held);
  }

  #addAll(count: number, indices: Uint32Array): boolean {
    const near = this.#near && this.#reachNear();
    if (near) return this.#addNear(near, count, indices);
    return this.#values.width === 1 ? this.#addWords(count, indices) : this.#addDoubleWords(count, indices);
  }

  /** The table by distance, made to reach all values of the page; without it from now on if they are too far apart. */
  #reachNear(): { least: number; entries: Uint16Array } | undefined {
    const near = this.#near;
    const range = this.#values.closeRange();
    const isEmpty = this.count === 0;
    if (!near || !range || (!isEmpty && range.high !== near.high)) return this.#hashAll();
    const end = near.least + near.entries.length;
    if (!isEmpty && range.least >= near.least && range.greatest < end) return near;
    const least = isEmpty ? range.least : Math.min(range.least, near.least);
    const greatest = isEmpty ? range.greatest : Math.max(range.greatest, end - 1);
    if (greatest - least > MAX_DISTANCE) return this.#hashAll();
    const entries = new Uint16Array(greatest - least + 1);
    if (!isEmpty) entries.set(near.entries, near.least - least);
    this.#near = { least, high: range.high, entries };
    return this.#near;
  }

  #addNear(near: { least: number; entries: Uint16Array }, count: number, indices: Uint32Array): boolean {
    const { words, width } = this.#values;
    const { entries } = near;
    const least = near.least | 0;
    for (let index = 0, at = 0; index < count; index++, at += width) {
      const distance = (words[at]! - least) | 0;
      let entry = entries[distance]!;
      if (entry === 0) {
        if (this.count === this.#maxEntries) return false;
        entry = this.#append(words[at]!, width === 1 ? 0 : words[at + 1]!);
        entries[distance] = entry;
      }
      indices[index] = entry - 1;
    }
    return true;
  }

  /** The loops are written out for each width, their tables in variables: they see every value of most columns. */
  #addWords(count: number, indices: Uint32Array): boolean {
    const { words } = this.#values;
    let [slots, entries] = [this.#slots, this.#entries];
    let mask = slots.length - 1;
    for (let index = 0; index < count; index++) {
      const word = words[index]!;
      let slot = hashWords(word, 0) & mask;
      let entry = slots[slot]!;
      while (entry !== 0 && entries[entry - 1] !== word) {
        slot = (slot + 1) & mask;
        entry = slots[slot]!;
      }
      if (entry === 0) {
        if (this.count === this.#maxEntries) return false;
        entry = this.#add(slot, word, 0);
        [slots, entries] = [this.#slots, this.#entries];
        mask = slots.length - 1;
      }
      indices[index] = entry - 1;
    }
    return true;
  }

  #addDoubleWords(count: number, indices: Uint32Array): boolean {
    const { words } = this.#values;
    let [slots, entries] = [this.#slots, this.#entries];
    let mask = slots.length - 1;
    for (let index = 0; index < count; index++) {
      const low = words[2 * index]!;
      const high = words[2 * index + 1]!;
      let slot = hashWords(low, high) & mask;
      let entry = slots[slot]!;
      while (entry !== 0 && (entries[2 * entry - 2] !== low || entries[2 * entry - 1] !== high)) {
        slot = (slot + 1) & mask;
        entry = slots[slot]!;
      }
      if (entry === 0) {
        if (this.count === this.#maxEntries) return false;
        entry = this.#add(slot, low, high);
        [slots, entries] = [this.#slots, this.#entries];
        mask = slots.length - 1;
      }
      indices[index] = entry - 1;
    }
    return true;
  }

  /** Adds an entry to the hash table; gives its number, counted from one as slots hold it. */
  #add(slot: number, low: number, high: number): number {
    const entry = this.#append(low, high);
    this.#slots[slot] = entry;
    if (2 * this.count > this.#slots.length) this.#rehash(this.#slots.length * 4);
    return entry;
  }

  /** Adds an entry; gives its number, counted from one. */
  #append(low: number, high: number): number {
    const { width } = this.#values;
    const index = this.count++;
    if (this.count * width > this.#entries.length) {
      const larger = new Int32Array(this.#entries.length * 2);
      larger.set(this.#entries);
      releaseMemory(this.#entries);
      this.#entries = larger;
    }
    this.#entries[index * width] = low;
    if (width === 2) this.#entries[2 * index + 1] = high;
    return index + 1;
  }

  /** Finds all entries by hash from now on. */
  #hashAll(): undefined {
    this.#near = undefined;
    let slots = FIRST_SLOTS;
    while (slots < 2 * this.count) slots *= 4;
    this.#rehash(slots);
  }

  #rehash(slotCount: number): void {
    const { width } = this.#values;
    const slots = new Int32Array(slotCount);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = hashWords(this.#entries[index * width]!, width === 1 ? 0 : this.#entries[2 * index + 1]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    releaseMemory(this.#slots);
    this.#slots = slots;
  }
}

function hashWords(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1);
  return mixed ^ (mixed >>> 15);
}
