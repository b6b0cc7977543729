import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { releaseMemory } from '../compression.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Bounds, ValueOrder } from '../statistics/bounds.ts';
import { countNaN, wordBounds } from '../statistics/word-bounds.ts';
import type { LoadWords } from './load-words.ts';
import type { PageValues } from './page-values.ts';
import type { Selection } from './selection.ts';

const FIRST_VALUES = 128;

/** Values of one or two 32-bit words: INT32 and FLOAT, INT64 and DOUBLE. */
export class WordValues implements PageValues {
  readonly width: 1 | 2;
  readonly #order: ValueOrder;
  readonly #load: LoadWords;
  words: Int32Array<ArrayBuffer> = new Int32Array(0);
  count = 0;
  /** Of the values as they are now, once they were asked for. */
  #bounds: { found: Bounds | undefined } | undefined;

  constructor(width: 1 | 2, order: ValueOrder, load: LoadWords) {
    this.width = width;
    this.#order = order;
    this.#load = load;
  }

  get plainBytes(): number {
    return this.count * this.width * 4;
  }

  get heldBytes(): number {
    return this.words.byteLength;
  }

  append(column: ArrowColumn, selection: Selection): void {
    this.reserve(this.count + selection.count);
    this.#load(column, selection, this.words, this.count * this.width);
    this.count += selection.count;
    this.#bounds = undefined;
  }

  reserve(values: number): void {
    const length = values * this.width;
    if (length <= this.words.length) return;
    const larger = new Int32Array(Math.max(length, this.words.length * 2, FIRST_VALUES));
    larger.set(this.words.subarray(0, this.count * this.width));
    releaseMemory(this.words);
    this.words = larger;
  }

  writePlain(page: PageBuffer): void {
    page.append(new Uint8Array(this.words.buffer, 0, this.plainBytes));
  }

  bounds(): Bounds | undefined {
    this.#bounds ??= { found: wordBounds(this.#order, this.words, this.count) };
    return this.#bounds.found;
  }

  /** Least and greatest low word of signed integers, whose high words must be equal; undefined for all other values. */
  closeRange(): { least: number; greatest: number; high: number } | undefined {
    if (this.#order !== 'int32' && this.#order !== 'int64') return undefined;
    const { min, max } = this.bounds() ?? {};
    if (!min || !max) return undefined;
    const [first, last] = [new DataView(min.buffer, min.byteOffset), new DataView(max.buffer, max.byteOffset)];
    if (this.width === 1) return { least: first.getInt32(0, true), greatest: last.getInt32(0, true), high: 0 };
    const high = first.getInt32(4, true);
    if (high !== last.getInt32(4, true)) return undefined;
    return { least: first.getUint32(0, true), greatest: last.getUint32(0, true), high };
  }

  get isFloat(): boolean {
    return this.#order === 'float' || this.#order === 'double';
  }

  nanCount(): number | undefined {
    const order = this.#order;
    return order === 'float' || order === 'double' ? countNaN(order, this.words, this.count) : undefined;
  }

  clear(keptBytes: number): void {
    this.count = 0;
    this.#bounds = undefined;
    if (this.words.byteLength > keptBytes) this.words = new Int32Array(0);
  }
}
