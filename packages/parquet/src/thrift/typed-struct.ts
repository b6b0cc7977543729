/** Types of Thrift's compact protocol, by their code on the wire. */
const WIRE = { TRUE: 1, FALSE: 2, BYTE: 3, I64: 6, DOUBLE: 7, BINARY: 8, LIST: 9, SET: 10, STRUCT: 12 } as const;
const DOUBLE_BYTES = 8;
/** Lists from here on have their length behind the header. */
const LONG_LIST = 15;
const FIRST_BYTES = 4096;

/** A value with its type on the wire, so that it can be written again as it was read. */
export type TypedValue =
  | { type: number; integer: bigint }
  | { type: number; bytes: Uint8Array }
  | { type: number; boolean: boolean }
  | { type: number; of: number; items: TypedValue[] }
  | { type: number; fields: TypedStruct };

/** A struct as it is written: values by field id. What is not changed is written again as it was, known or not. */
export type TypedStruct = Map<number, TypedValue>;

/** Reads a struct; throws on bytes that end early or hold a type that Parquet has no use for. */
export function readTypedStruct(bytes: Uint8Array): TypedStruct {
  return new TypedReader(bytes).struct();
}

/** The bytes of a struct in the order of its field ids. */
export function writeTypedStruct(struct: TypedStruct): Uint8Array {
  const writer = new TypedWriter();
  writer.struct(struct);
  return writer.take();
}

/** An integer of 64 bits. */
export function i64(integer: bigint): TypedValue {
  return { type: WIRE.I64, integer };
}

/** A list of structs. */
export function structList(structs: readonly TypedStruct[]): TypedValue {
  return { type: WIRE.LIST, of: WIRE.STRUCT, items: structs.map((fields) => ({ type: WIRE.STRUCT, fields })) };
}

class TypedReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  struct(): TypedStruct {
    const fields: TypedStruct = new Map();
    let id = 0;
    for (let header = this.#byte(); header !== 0; header = this.#byte()) {
      const delta = header >> 4;
      id = delta === 0 ? Number(this.#zigzag()) : id + delta;
      fields.set(id, this.#value(header & 15));
    }
    return fields;
  }

  #value(type: number): TypedValue {
    if (type === WIRE.TRUE || type === WIRE.FALSE) return { type, boolean: type === WIRE.TRUE };
    if (type === WIRE.BYTE) return { type, integer: BigInt(this.#byte()) };
    if (type > WIRE.BYTE && type <= WIRE.I64) return { type, integer: this.#zigzag() };
    if (type === WIRE.DOUBLE) return { type, bytes: this.#take(DOUBLE_BYTES) };
    if (type === WIRE.BINARY) return { type, bytes: this.#take(Number(this.#varint())) };
    if (type === WIRE.LIST || type === WIRE.SET) return this.#list(type);
    if (type === WIRE.STRUCT) return { type, fields: this.struct() };
    throw new Error(`a Parquet footer holds the Thrift type ${type}`);
  }

  #list(type: number): TypedValue {
    const header = this.#byte();
    const length = header >> 4 === LONG_LIST ? Number(this.#varint()) : header >> 4;
    const of = header & 15;
    // In lists a boolean is a byte of its own; in structs it is its type.
    const isBoolean = of === WIRE.TRUE || of === WIRE.FALSE;
    const items: TypedValue[] = [];
    for (let index = 0; index < length; index++) {
      items.push(isBoolean ? { type: of, boolean: this.#byte() === WIRE.TRUE } : this.#value(of));
    }
    return { type, of, items };
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Error('a Thrift integer is longer than 64 bits');
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw new Error('Thrift bytes end early');
    return byte;
  }

  #take(length: number): Uint8Array {
    const start = this.#offset;
    this.#offset += length;
    if (this.#offset > this.#bytes.length) throw new Error('Thrift bytes end early');
    return this.#bytes.subarray(start, this.#offset);
  }
}

class TypedWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  struct(struct: TypedStruct): void {
    let last = 0;
    for (const [id, value] of [...struct].toSorted(([a], [b]) => a - b)) {
      const delta = id - last;
      const type = 'boolean' in value ? (value.boolean ? WIRE.TRUE : WIRE.FALSE) : value.type;
      this.#byte(((delta <= 15 ? delta : 0) << 4) | type);
      if (delta > 15) this.#zigzag(BigInt(id));
      if (!('boolean' in value)) this.#value(value);
      last = id;
    }
    this.#byte(0);
  }

  #value(value: TypedValue): void {
    if ('boolean' in value) return this.#byte(value.boolean ? WIRE.TRUE : WIRE.FALSE);
    if ('fields' in value) return this.struct(value.fields);
    if ('items' in value) {
      const { length } = value.items;
      this.#byte((Math.min(length, LONG_LIST) << 4) | value.of);
      if (length >= LONG_LIST) this.#varint(BigInt(length));
      for (const item of value.items) this.#value(item);
      return;
    }
    if ('integer' in value) {
      if (value.type === WIRE.BYTE) this.#byte(Number(value.integer));
      else this.#zigzag(value.integer);
      return;
    }
    if (value.type === WIRE.BINARY) this.#varint(BigInt(value.bytes.length));
    this.#raw(value.bytes);
  }

  #zigzag(value: bigint): void {
    this.#varint(value < 0n ? -2n * value - 1n : 2n * value);
  }

  #varint(value: bigint): void {
    let rest = value;
    for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128);
    this.#byte(Number(rest));
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
