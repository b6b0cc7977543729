const WIRE = { TRUE: 1, FALSE: 2, BYTE: 3, I16: 4, I32: 5, I64: 6, BINARY: 8, LIST: 9, STRUCT: 12 } as const;
/** Lists up to here have their length in the header's upper half. */
const LONGEST_SHORT_LIST = 14;
const FIRST_BYTES = 256;

/** What a list may hold. */
export type ListElement = 'i32' | 'i64' | 'binary' | 'boolean' | 'struct';

const ELEMENT = { i32: WIRE.I32, i64: WIRE.I64, binary: WIRE.BINARY, boolean: WIRE.TRUE, struct: WIRE.STRUCT };

/** Writes one struct in Thrift's compact protocol. Fields go in ascending order of their ids; one whose value is undefined is left out. */
export class CompactWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #lastId = 0;

  /** Writes a whole struct and gives its bytes. */
  static write(fill: (writer: CompactWriter) => void): Uint8Array {
    const writer = new CompactWriter();
    writer.element(() => fill(writer));
    return writer.#bytes.slice(0, writer.#length);
  }

  boolean(id: number, value: boolean | undefined): void {
    if (value !== undefined) this.#field(id, value ? WIRE.TRUE : WIRE.FALSE);
  }

  byte(id: number, value: number): void {
    this.#field(id, WIRE.BYTE);
    this.#byte(value);
  }

  i16(id: number, value: number): void {
    this.#integer(id, WIRE.I16, value);
  }

  i32(id: number, value: number | undefined): void {
    if (value !== undefined) this.#integer(id, WIRE.I32, value);
  }

  /** Counts and offsets: integers that a double holds exactly. */
  i64(id: number, value: number | undefined): void {
    if (value !== undefined) this.#integer(id, WIRE.I64, value);
  }

  binary(id: number, value: Uint8Array | string | undefined): void {
    if (value === undefined) return;
    this.#field(id, WIRE.BINARY);
    this.binaryElement(value);
  }

  struct(id: number, fill: () => void): void {
    this.#field(id, WIRE.STRUCT);
    this.element(fill);
  }

  list<Item>(id: number, type: ListElement, items: readonly Item[], write: (item: Item) => void): void {
    this.#field(id, WIRE.LIST);
    const isShort = items.length <= LONGEST_SHORT_LIST;
    this.#byte(((isShort ? items.length : 15) << 4) | ELEMENT[type]);
    if (!isShort) this.#varint(items.length);
    for (const item of items) write(item);
  }

  /** A struct as an element of a list. */
  element(fill: () => void): void {
    const outer = this.#lastId;
    this.#lastId = 0;
    fill();
    this.#byte(0);
    this.#lastId = outer;
  }

  /** An integer as an element of a list. */
  integerElement(value: number): void {
    this.#zigzag(value);
  }

  /** A boolean as an element of a list. */
  booleanElement(value: boolean): void {
    this.#byte(value ? WIRE.TRUE : WIRE.FALSE);
  }

  /** Bytes or text as an element of a list. */
  binaryElement(value: Uint8Array | string): void {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #integer(id: number, type: number, value: number): void {
    this.#field(id, type);
    this.#zigzag(value);
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId;
    if (delta <= 0 || delta > 15) throw new Error(`field ${id} cannot follow field ${this.#lastId}`);
    this.#lastId = id;
    this.#byte((delta << 4) | type);
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Not by shifts: offsets go beyond 32 bits. */
  #varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128);
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
