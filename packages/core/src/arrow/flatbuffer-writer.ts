/** A value in a flatbuffer's table, named for its width; `text` and `tables` are vectors. */
export type FlatValue =
  | { byte: number }
  | { short: number }
  | { int: number }
  | { long: number }
  | { text: string }
  | { table: FlatFields }
  | { tables: readonly FlatFields[] };

/** The fields of a table by their number in the schema; undefined leaves a field at its default. */
export type FlatFields = readonly (FlatValue | undefined)[];

const VTABLE_HEADER_BYTES = 4;
const REFERENCE_BYTES = 4;
/** Enough for the alignment of every kind of value. */
const ALIGNMENT = 8;

/** Encodes a table as a flatbuffer (FlatBuffers internals, Format), padded to a multiple of eight bytes. */
export function encodeFlatbuffer(root: FlatFields): Uint8Array {
  const writer = new FlatbufferWriter();
  return writer.write(root);
}

/** Writes from front to back: what a table refers to follows it, as offsets must be positive. */
class FlatbufferWriter {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  write(root: FlatFields): Uint8Array {
    const reference = this.#take(REFERENCE_BYTES);
    this.#refer(reference, () => this.#writeTable(root));
    this.#align(ALIGNMENT);
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  #writeTable(fields: FlatFields): number {
    const { places, size } = placeFields(fields);
    this.#align(2);
    const vtable = this.#take(VTABLE_HEADER_BYTES + 2 * fields.length);
    this.#bytes.writeUInt16LE(VTABLE_HEADER_BYTES + 2 * fields.length, vtable);
    this.#bytes.writeUInt16LE(size, vtable + 2);
    for (const [slot, place] of places.entries()) {
      this.#bytes.writeUInt16LE(place, vtable + VTABLE_HEADER_BYTES + 2 * slot);
    }
    this.#align(ALIGNMENT);
    const table = this.#take(size);
    this.#bytes.writeInt32LE(table - vtable, table);
    for (const [slot, value] of fields.entries()) if (value) this.#writeValue(table + (places[slot] ?? 0), value);
    return table;
  }

  #writeValue(at: number, value: FlatValue): void {
    if ('byte' in value) this.#bytes.writeUInt8(value.byte, at);
    else if ('short' in value) this.#bytes.writeInt16LE(value.short, at);
    else if ('int' in value) this.#bytes.writeInt32LE(value.int, at);
    else if ('long' in value) this.#bytes.writeBigInt64LE(BigInt(value.long), at);
    else if ('text' in value) this.#refer(at, () => this.#writeText(value.text));
    else if ('table' in value) this.#refer(at, () => this.#writeTable(value.table));
    else this.#refer(at, () => this.#writeTables(value.tables));
  }

  #writeText(text: string): number {
    const encoded = Buffer.from(text);
    this.#align(4);
    // A zero behind the text, which its length does not count.
    const at = this.#take(4 + encoded.length + 1);
    this.#bytes.writeUInt32LE(encoded.length, at);
    encoded.copy(this.#bytes, at + 4);
    return at;
  }

  #writeTables(tables: readonly FlatFields[]): number {
    this.#align(4);
    const at = this.#take(4 + REFERENCE_BYTES * tables.length);
    this.#bytes.writeUInt32LE(tables.length, at);
    for (const [index, fields] of tables.entries()) {
      this.#refer(at + 4 + REFERENCE_BYTES * index, () => this.#writeTable(fields));
    }
    return at;
  }

  #refer(reference: number, write: () => number): void {
    const target = write();
    this.#bytes.writeUInt32LE(target - reference, reference);
  }

  #align(bytes: number): void {
    this.#take(-this.#length & (bytes - 1));
  }

  /** Room for so many bytes, all zero; gives where they begin. */
  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], Math.max(this.#length, 2 * this.#bytes.length));
    }
    return at;
  }
}

/** Where each field lies in its table, the widest first, and how long that is; 0 for a field that is absent. */
function placeFields(fields: FlatFields): { places: number[]; size: number } {
  const places = fields.map(() => 0);
  let size = REFERENCE_BYTES;
  for (const width of [8, 4, 2, 1]) {
    for (const [slot, value] of fields.entries()) {
      if (!value || widthOf(value) !== width) continue;
      size = (size + width - 1) & -width;
      places[slot] = size;
      size += width;
    }
  }
  return { places, size };
}

function widthOf(value: FlatValue): number {
  if ('byte' in value) return 1;
  if ('short' in value) return 2;
  return 'long' in value ? 8 : 4;
}
