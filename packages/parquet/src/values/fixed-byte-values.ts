import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { releaseMemory } from '../compression.ts';
import type { PageBuffer } from '../page-buffer.ts';
import { fixedByteBounds } from '../statistics/fixed-byte-bounds.ts';
import type { Bounds, ValueOrder } from '../statistics/bounds.ts';
import { type PageValues, tooLarge } from './page-values.ts';
import type { Selection } from './selection.ts';

const FIRST_VALUES = 32;

/** Copies the selected values of a column to `target` from value `at` on. */
export type LoadBytes = (column: ArrowColumn, selection: Selection, target: Uint8Array, at: number) => void;

/** Values of `width` bytes each. */
export class FixedByteValues implements PageValues {
  readonly width: number;
  readonly #order: ValueOrder;
  readonly #load: LoadBytes;
  data: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  count = 0;

  constructor(width: number, order: ValueOrder, load: LoadBytes) {
    this.width = width;
    this.#order = order;
    this.#load = load;
  }

  get plainBytes(): number {
    return this.count * this.width;
  }

  get heldBytes(): number {
    return this.data.byteLength;
  }

  append(column: ArrowColumn, selection: Selection): void {
    this.reserve(this.count + selection.count);
    this.#load(column, selection, this.data, this.count);
    this.count += selection.count;
  }

  reserve(values: number): void {
    const length = values * this.width;
    if (length <= this.data.length) return;
    const larger = new Uint8Array(Math.max(length, this.data.length * 2, FIRST_VALUES * this.width));
    larger.set(this.data.subarray(0, this.plainBytes));
    releaseMemory(this.data);
    this.data = larger;
  }

  writePlain(page: PageBuffer): void {
    page.append(this.data.subarray(0, this.plainBytes));
  }

  bounds(): Bounds | undefined {
    return fixedByteBounds(this.#order, this.data, this);
  }

  nanCount(): number | undefined {
    if (this.#order !== 'float16') return undefined;
    let count = 0;
    for (let at = 0; at < this.plainBytes; at += 2) {
      if ((this.data[at + 1]! & 0x7c) === 0x7c && ((this.data[at + 1]! & 3) | this.data[at]!) !== 0) count++;
    }
    return count;
  }

  clear(keptBytes: number): void {
    this.count = 0;
    if (this.data.length > keptBytes) this.data = new Uint8Array(0);
  }
}

/** Loads values of `width` bytes as they are. */
export function loadBytes(width: number): LoadBytes {
  return ({ values }, { start, count, indices }, target, at) => {
    if (!indices) {
      target.set(values.subarray(start * width, (start + count) * width), at * width);
      return;
    }
    for (let k = 0, to = at * width; k < count; k++) {
      for (let from = indices[k]! * width, end = from + width; from < end; from++) target[to++] = values[from]!;
    }
  };
}

/** Loads the last `width` of `sourceWidth` little-endian bytes in big-endian order: how decimals of more than 18 digits are kept. Throws if one does not fit. */
export function loadReversed(sourceWidth: number, width: number): LoadBytes {
  return (column, { start, count, indices }, target, at) => {
    const { values } = column;
    let lost = 0;
    for (let k = 0, to = at * width; k < count; k++, to += width) {
      const from = (indices ? indices[k]! : start + k) * sourceWidth;
      const sign = (values[from + sourceWidth - 1]! & 0x80) === 0 ? 0 : 0xff;
      for (let byte = 0; byte < width; byte++) {
        target[to + width - 1 - byte] = byte < sourceWidth ? values[from + byte]! : sign;
      }
      for (let byte = width; byte < sourceWidth; byte++) lost |= values[from + byte]! ^ sign;
      // The first byte that is kept must have the sign of those that are not.
      lost |= (target[to]! ^ sign) & 0x80;
    }
    if (lost !== 0) throw tooLarge(column);
  };
}
