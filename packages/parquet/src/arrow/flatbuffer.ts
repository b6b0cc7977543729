import { isUtf8 } from 'node:buffer';

/** Where a table's field offsets begin in its vtable: after the sizes of vtable and table. */
const VTABLE_HEADER_BYTES = 4;

/** A vector of a FlatBuffer: where its elements begin, and how many there are. */
export type FlatVector = { start: number; length: number };

/** A table of a FlatBuffer, read in place (flatbuffers.dev, Internals). Fields go by their slot in the schema; an absent field has its default. */
export class FlatTable {
  readonly view: DataView;
  readonly #position: number;
  readonly #vtable: number;

  constructor(view: DataView, position: number) {
    this.view = view;
    this.#position = position;
    this.#vtable = position - view.getInt32(position, true);
  }

  /** The table that a buffer begins with a reference to. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  byte(slot: number): number {
    const at = this.#place(slot);
    return at === 0 ? 0 : this.view.getUint8(at);
  }

  short(slot: number, absent = 0): number {
    const at = this.#place(slot);
    return at === 0 ? absent : this.view.getInt16(at, true);
  }

  int(slot: number, absent = 0): number {
    const at = this.#place(slot);
    return at === 0 ? absent : this.view.getInt32(at, true);
  }

  long(slot: number): number {
    const at = this.#place(slot);
    return at === 0 ? 0 : readLong(this.view, at);
  }

  string(slot: number): string | undefined {
    const vector = this.vector(slot);
    if (!vector) return undefined;
    const { buffer, byteOffset } = this.view;
    const bytes = Buffer.from(buffer, byteOffset + vector.start, vector.length);
    if (!isUtf8(bytes)) throw new RangeError('a text is no UTF-8');
    return bytes.toString();
  }

  table(slot: number): FlatTable | undefined {
    const at = this.#place(slot);
    return at === 0 ? undefined : new FlatTable(this.view, at + this.view.getUint32(at, true));
  }

  vector(slot: number): FlatVector | undefined {
    const at = this.#place(slot);
    if (at === 0) return undefined;
    const vector = at + this.view.getUint32(at, true);
    const length = this.view.getUint32(vector, true);
    if (vector + 4 + length > this.view.byteLength) throw new RangeError('a vector reaches beyond its buffer');
    return { start: vector + 4, length };
  }

  tables(slot: number): FlatTable[] {
    const vector = this.vector(slot);
    return Array.from({ length: vector?.length ?? 0 }, (_, index) => {
      const at = (vector?.start ?? 0) + 4 * index;
      return new FlatTable(this.view, at + this.view.getUint32(at, true));
    });
  }

  /** The offset of a field's value; 0 if it is absent. */
  #place(slot: number): number {
    const entry = VTABLE_HEADER_BYTES + 2 * slot;
    if (entry >= this.view.getUint16(this.#vtable, true)) return 0;
    const offset = this.view.getUint16(this.#vtable + entry, true);
    return offset === 0 ? 0 : this.#position + offset;
  }
}

/** A 64-bit count or offset; throws on what no buffer can have. */
export function readLong(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true));
  if (value < 0 || !Number.isSafeInteger(value)) throw new RangeError('a length is negative or too large');
  return value;
}
