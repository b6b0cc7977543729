import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { releaseMemory } from '../compression.ts';
import { ParquetError } from '../errors.ts';
import type { PageBuffer } from '../page-buffer.ts';
import { byteArrayBounds } from '../statistics/byte-array-bounds.ts';
import type { Bounds } from '../statistics/bounds.ts';
import type { PageValues } from './page-values.ts';
import type { Selection } from './selection.ts';

const FIRST_VALUES = 64;
const FIRST_BYTES = 512;
/** Loops over words may read beyond the last value. */
const SLACK_BYTES = 16;
/** Up to here a loop over words is quicker than the call that copies a block. */
const LONGEST_IN_WORDS = 128;
/** The format's sizes are signed 32-bit integers. */
const MAX_BYTES = 2 ** 31 - 1 - 64 * 1024;

/** Values of variable length: all bytes in one buffer, value `i` from `offsets[i]` to `offsets[i + 1]`. */
export class ByteArrayValues implements PageValues {
  data: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  view: DataView<ArrayBuffer> = new DataView(this.data.buffer);
  offsets: Int32Array<ArrayBuffer> = new Int32Array(1);
  count = 0;

  /** Bytes of all values. */
  get dataBytes(): number {
    return this.offsets[this.count]!;
  }

  get plainBytes(): number {
    return this.dataBytes + 4 * this.count;
  }

  get heldBytes(): number {
    return this.data.byteLength + this.offsets.byteLength;
  }

  append(column: ArrowColumn, selection: Selection): void {
    this.reserveValues(selection.count);
    if (selection.indices) this.#appendIndexed(column, selection, selection.indices);
    else this.#appendRange(column, selection);
    this.count += selection.count;
  }

  reserveValues(more: number): void {
    const length = this.count + more + 1;
    if (length <= this.offsets.length) return;
    const larger = new Int32Array(Math.max(length, this.offsets.length * 2, FIRST_VALUES));
    larger.set(this.offsets.subarray(0, this.count + 1));
    releaseMemory(this.offsets);
    this.offsets = larger;
  }

  reserveData(more: number): void {
    const used = this.dataBytes;
    const needed = used + more + SLACK_BYTES;
    if (needed <= this.data.length) return;
    if (needed > MAX_BYTES)
      throw new ParquetError('unsupported', 'A page of more than 2 GB cannot be written to Parquet.');
    const larger = new Uint8Array(Math.min(MAX_BYTES, Math.max(needed, this.data.length * 2, FIRST_BYTES)));
    larger.set(this.data.subarray(0, used));
    releaseMemory(this.data);
    this.data = larger;
    this.view = new DataView(larger.buffer);
  }

  writePlain(page: PageBuffer): void {
    const { offsets, view: source, data, count } = this;
    page.reserve(this.plainBytes);
    const { view: target, bytes } = page;
    let at = page.length;
    for (let index = 0; index < count; index++) {
      const start = offsets[index]!;
      const length = offsets[index + 1]! - start;
      target.setInt32(at, length, true);
      at += 4;
      // The last word may reach beyond the value: what follows is written over it.
      if (length > LONGEST_IN_WORDS) bytes.set(data.subarray(start, start + length), at);
      else for (let k = 0; k < length; k += 4) target.setInt32(at + k, source.getInt32(start + k, true), true);
      at += length;
    }
    page.length = at;
  }

  bounds(): Bounds | undefined {
    return byteArrayBounds(this, undefined, this.count);
  }

  nanCount(): undefined {
    return undefined;
  }

  clear(keptBytes: number): void {
    this.count = 0;
    if (this.data.length > keptBytes) {
      releaseMemory(this.data);
      this.data = new Uint8Array(0);
      this.view = new DataView(this.data.buffer);
    }
    if (this.offsets.byteLength > keptBytes) this.offsets = new Int32Array(1);
  }

  #appendRange({ offsets, values }: ArrowColumn, { start, count }: Selection): void {
    const first = offsets[start] ?? 0;
    const end = offsets[start + count] ?? 0;
    this.reserveData(end - first);
    const used = this.dataBytes;
    this.data.set(values.subarray(first, end), used);
    const ends = this.offsets;
    const shift = used - first;
    for (let k = 1, base = this.count; k <= count; k++) ends[base + k] = offsets[start + k]! + shift;
  }

  #appendIndexed({ offsets, values }: ArrowColumn, { count }: Selection, indices: Int32Array): void {
    const ends = this.offsets;
    const used = this.dataBytes;
    let end = used;
    for (let k = 0, base = this.count; k < count; k++) {
      const index = indices[k]!;
      end += offsets[index + 1]! - offsets[index]!;
      ends[base + k + 1] = end;
    }
    if (count === 0) return;
    this.reserveData(end - used);
    const [first, last] = [offsets[indices[0]!]!, offsets[indices[count - 1]! + 1]!];
    // Nulls mostly have no bytes: then all lie side by side.
    if (last - first === end - used) this.data.set(values.subarray(first, last), used);
    else this.#copyOneByOne(values, offsets, indices.subarray(0, count));
  }

  #copyOneByOne(values: Uint8Array, offsets: Int32Array, indices: Int32Array): void {
    for (let k = 0; k < indices.length; k++) {
      const index = indices[k]!;
      this.data.set(values.subarray(offsets[index]!, offsets[index + 1]!), this.offsets[this.count + k]!);
    }
  }
}
