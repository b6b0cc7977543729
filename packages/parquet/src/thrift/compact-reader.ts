/** A struct of Thrift's compact protocol: field id to value. Integers are bigint, lists are arrays, binary and strings are bytes. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** Any value of Thrift's compact protocol that a Parquet footer holds. */
export type ThriftValue = boolean | bigint | number | Uint8Array | readonly ThriftValue[] | ThriftStruct;

const WIRE = {
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
};

/** Reads one struct from bytes in Thrift's compact protocol; throws on bytes that end early or hold an unknown type. */
export function readThriftStruct(bytes: Uint8Array): ThriftStruct {
  return new CompactReader(bytes).readStruct();
}

class CompactReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  readStruct(): ThriftStruct {
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const header = this.#byte();
      if (header === 0) return fields;
      const delta = header >> 4;
      id = delta === 0 ? Number(this.#zigzag()) : id + delta;
      fields.set(id, this.#value(header & 15));
    }
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case WIRE.TRUE:
        return true;
      case WIRE.FALSE:
        return false;
      case WIRE.BYTE:
        return BigInt((this.#byte() << 24) >> 24);
      case WIRE.I16:
      case WIRE.I32:
      case WIRE.I64:
        return this.#zigzag();
      case WIRE.DOUBLE:
        return this.#view.getFloat64(this.#take(8), true);
      case WIRE.BINARY:
        return this.#binary();
      case WIRE.LIST:
      case WIRE.SET:
        return this.#list();
      case WIRE.MAP:
        return this.#map();
      case WIRE.STRUCT:
        return this.readStruct();
      default:
        throw new Error(`unknown Thrift type ${type}`);
    }
  }

  #list(): ThriftValue[] {
    const header = this.#byte();
    const length = header >> 4 === 15 ? Number(this.#varint()) : header >> 4;
    return Array.from({ length }, () => this.#element(header & 15));
  }

  /** A map as a list of its pairs. */
  #map(): ThriftValue[] {
    const length = Number(this.#varint());
    if (length === 0) return [];
    const types = this.#byte();
    return Array.from({ length }, () => [this.#element(types >> 4), this.#element(types & 15)]);
  }

  /** In lists a boolean is a byte of its own; in structs it is its type. */
  #element(type: number): ThriftValue {
    return type === WIRE.TRUE || type === WIRE.FALSE ? this.#byte() === WIRE.TRUE : this.#value(type);
  }

  #binary(): Uint8Array {
    const length = Number(this.#varint());
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  #varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 127) << shift;
      if (byte < 128) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Error('a Thrift integer is longer than 64 bits');
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #take(length: number): number {
    const start = this.#offset;
    this.#offset += length;
    if (this.#offset > this.#bytes.length) throw new Error('Thrift bytes end early');
    return start;
  }
}
