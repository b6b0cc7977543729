import type { Dictionary, DictionaryLimits } from './dictionary.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { WordValues } from './values/word-values.ts';

const FIRST_SLOTS = 64;

/** A dictionary of values of one or two words: a hash table with open addressing. */
export class WordDictionary implements Dictionary {
  readonly #values: WordValues;
  readonly #limits: DictionaryLimits;
  #entries: Int32Array<ArrayBuffer>;
  #slots = new Int32Array(FIRST_SLOTS);
  count = 0;

  constructor(values: WordValues, limits: DictionaryLimits) {
    this.#values = values;
    this.#limits = limits;
    this.#entries = new Int32Array((FIRST_SLOTS * values.width) / 2);
  }

  get plainBytes(): number {
    return this.count * this.#values.width * 4;
  }

  addPage(count: number, indices: Uint32Array): boolean {
    const { words, width } = this.#values;
    const most = Math.min(this.#limits.maxEntries, Math.floor(this.#limits.maxBytes / (4 * width)));
    const before = this.count;
    for (let index = 0; index < count; index++) {
      const low = words[index * width]!;
      const high = width === 1 ? 0 : words[2 * index + 1]!;
      const slot = this.#find(low, high);
      const entry = this.#slots[slot]!;
      if (entry > 0) indices[index] = entry - 1;
      else if (this.count === most) {
        this.count = before;
        return false;
      } else indices[index] = this.#add(slot, low, high);
    }
    return true;
  }

  writePlain(page: PageBuffer): void {
    page.append(new Uint8Array(this.#entries.buffer, 0, this.plainBytes));
  }

  /** The slot that holds this value, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    const entries = this.#entries;
    const isSingle = this.#values.width === 1;
    const mask = slots.length - 1;
    let slot = hashWords(low, high) & mask;
    for (let entry = slots[slot]!; entry > 0; entry = slots[slot]!) {
      if (isSingle ? entries[entry - 1] === low : entries[2 * entry - 2] === low && entries[2 * entry - 1] === high)
        break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

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
    return index;
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
