import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { releaseMemory } from '../compression.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Bounds } from '../statistics/bounds.ts';
import type { PageValues } from './page-values.ts';
import type { Selection } from './selection.ts';

const FIRST_VALUES = 128;

/** Booleans: a byte for each while the page is filled, a bit in the file. */
export class BooleanValues implements PageValues {
  #values: Uint8Array = new Uint8Array(0);
  count = 0;

  get plainBytes(): number {
    return (this.count + 7) >> 3;
  }

  get heldBytes(): number {
    return this.#values.length;
  }

  append({ values }: ArrowColumn, { start, count, indices }: Selection): void {
    this.#reserve(this.count + count);
    const target = this.#values;
    const at = this.count;
    if (indices) {
      for (let k = 0; k < count; k++) target[at + k] = (values[indices[k]! >> 3]! >> (indices[k]! & 7)) & 1;
    } else for (let k = 0; k < count; k++) target[at + k] = (values[(start + k) >> 3]! >> ((start + k) & 7)) & 1;
    this.count += count;
  }

  writePlain(page: PageBuffer): void {
    page.reserve(this.plainBytes + 1);
    const { bytes } = page;
    const values = this.#values;
    // The last byte is filled up with zeros.
    values.fill(0, this.count, (this.count + 7) & ~7);
    for (let k = 0; k < this.count; k += 8) {
      let byte = 0;
      for (let bit = 0; bit < 8; bit++) byte |= values[k + bit]! << bit;
      bytes[page.length++] = byte;
    }
  }

  bounds(): Bounds | undefined {
    if (this.count === 0) return undefined;
    const values = this.#values.subarray(0, this.count);
    const [hasFalse, hasTrue] = [values.includes(0), values.includes(1)];
    return { min: Uint8Array.of(hasFalse ? 0 : 1), max: Uint8Array.of(hasTrue ? 1 : 0) };
  }

  nanCount(): undefined {
    return undefined;
  }

  clear(keptBytes: number): void {
    this.count = 0;
    if (this.#values.length > keptBytes) this.#values = new Uint8Array(0);
  }

  #reserve(values: number): void {
    const length = (values + 7) & ~7;
    if (length <= this.#values.length) return;
    const larger = new Uint8Array(Math.max(length, this.#values.length * 2, FIRST_VALUES));
    larger.set(this.#values.subarray(0, this.count));
    releaseMemory(this.#values);
    this.#values = larger;
  }
}
