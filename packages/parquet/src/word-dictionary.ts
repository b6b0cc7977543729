import type { Dictionary, DictionaryLimits } from './dictionary.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { WordValues } from './values/word-values.ts';

const FIRST_SLOTS = 64;

/** A dictionary of values of one or two words: a hash table with open addressing. */
export class WordDictionary implements Dictionary {
  readonly #values: WordValues;
  readonly #maxEntries: number;
  #entries: Int32Array<ArrayBuffer>;
  #slots = new Int32Array(FIRST_SLOTS);
  count = 0;

  constructor(values: WordValues, { maxEntries, maxBytes }: DictionaryLimits) {
    this.#values = values;
    this.#maxEntries = Math.min(maxEntries, Math.floor(maxBytes / (4 * values.width)));
    this.#entries = new Int32Array((FIRST_SLOTS * values.width) / 2);
  }

  get plainBytes(): number {
    return this.count * this.#values.width * 4;
  }

  addPage(count: number, indices: Uint32Array): boolean {
    const before = this.count;
    const isAdded = this.#values.width === 1 ? this.#addWords(count, indices) : this.#addDoubleWords(count, indices);
    if (!isAdded) this.count = before;
    return isAdded;
  }

  writePlain(page: PageBuffer): void {
    page.append(new Uint8Array(this.#entries.buffer, 0, this.plainBytes));
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

  /** Adds an entry; gives its number, counted from one as slots hold it. */
  #add(slot: number, low: number, high: number): number {
    const { width } = this.#values;
    const index = this.count++;
    if (this.count * width > this.#entries.length) {
      const larger = new Int32Array(this.#entries.length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[index * width] = low;
    if (width === 2) this.#entries[2 * index + 1] = high;
    this.#slots[slot] = index + 1;
    if (2 * this.count > this.#slots.length) this.#grow();
    return index + 1;
  }

  #grow(): void {
    const { width } = this.#values;
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = hashWords(this.#entries[index * width]!, width === 1 ? 0 : this.#entries[2 * index + 1]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

function hashWords(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1);
  return mixed ^ (mixed >>> 15);
}
