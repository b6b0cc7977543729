import { THRIFT, type ThriftEntry, type ThriftStruct, type ThriftType, type ThriftValue } from './thrift-value.ts';

/** First bytes of a message in the strict form: version 1, then a byte of 0 and the message's type. */
const VERSION_1 = 0x8001_0000;

const CALL = 1;

/** Types of a message that answers. */
export const REPLY = 2;
export const EXCEPTION = 3;

/** An answer taken apart; undefined fields mean that more bytes are needed. */
export interface ThriftMessage {
  readonly type: number;
  readonly sequence: number;
  readonly fields: ThriftStruct;
}

/** The bytes of a call in Thrift's binary protocol. */
export function encodeCall(method: string, sequence: number, args: ThriftStruct): Buffer {
  const name = Buffer.from(method);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(VERSION_1 + CALL, 0);
  head.writeUInt32BE(name.length, 4);
  return Buffer.concat([head, name, int32(sequence), ...encodeStruct(args)]);
}

/** The message at the start of `bytes`; undefined if it is not complete yet. Throws RangeError for bytes that are no message. */
export function decodeMessage(bytes: Buffer): ThriftMessage | undefined {
  const reader = new ThriftReader(bytes);
  try {
    const version = reader.uint32();
    if (version >>> 16 !== VERSION_1 >>> 16) throw new RangeError('The answer is not in the strict binary protocol.');
    reader.bytes();
    return { type: version & 0xff, sequence: reader.uint32(), fields: reader.struct() };
  } catch (error) {
    if (error instanceof Incomplete) return undefined;
    throw error;
  }
}

function* encodeStruct(fields: ThriftStruct): Generator<Buffer> {
  for (const [number, value] of fields) {
    const head = Buffer.alloc(3);
    head.writeUInt8(THRIFT[value.type], 0);
    head.writeInt16BE(number, 1);
    yield head;
    yield* encodeValue(value);
  }
  yield Buffer.of(THRIFT.stop);
}

function* encodeValue(value: ThriftValue): Generator<Buffer> {
  switch (value.type) {
    case 'boolean':
      return yield Buffer.of(value.value ? 1 : 0);
    case 'byte':
      return yield Buffer.of(value.value & 0xff);
    case 'i16':
      return yield int16(value.value);
    case 'i32':
      return yield int32(value.value);
    case 'i64':
      return yield int64(value.value);
    case 'double':
      return yield float64(value.value);
    case 'string':
      yield int32(value.value.length);
      return yield value.value;
    case 'struct':
      return yield* encodeStruct(value.fields);
    case 'list':
    case 'set':
      yield Buffer.of(THRIFT[value.of]);
      yield int32(value.items.length);
      for (const item of value.items) yield* encodeValue(item);
      return;
    case 'map':
      yield Buffer.from(value.of.map((type) => THRIFT[type]));
      yield int32(value.entries.length);
      for (const pair of value.entries) for (const part of pair) yield* encodeValue(part);
      return;
    default:
      return value satisfies never;
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

/** Thrown within this file when the bytes end before the message does. */
class Incomplete extends Error {}

const TYPE_NAMES = new Map<number, ThriftType>(
  Object.entries(THRIFT).flatMap(([name, code]) => (name === 'stop' ? [] : [[code, name as ThriftType]])),
);

class ThriftReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  bytes(): Buffer {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  struct(): ThriftStruct {
    const fields = new Map<number, ThriftValue>();
    for (;;) {
      const code = this.#bytes.readUInt8(this.#take(1));
      if (code === THRIFT.stop) return fields;
      const number = this.#bytes.readInt16BE(this.#take(2));
      fields.set(number, this.#value(nameOfType(code)));
    }
  }

  #value(type: ThriftType): ThriftValue {
    switch (type) {
      case 'boolean':
        return { type, value: this.#bytes.readUInt8(this.#take(1)) !== 0 };
      case 'byte':
        return { type, value: this.#bytes.readInt8(this.#take(1)) };
      case 'i16':
        return { type, value: this.#bytes.readInt16BE(this.#take(2)) };
      case 'i32':
        return { type, value: this.#bytes.readInt32BE(this.#take(4)) };
      case 'i64':
        return { type, value: this.#bytes.readBigInt64BE(this.#take(8)) };
      case 'double':
        return { type, value: this.#bytes.readDoubleBE(this.#take(8)) };
      case 'string':
        return { type, value: this.bytes() };
      case 'struct':
        return { type, fields: this.struct() };
      case 'list':
      case 'set':
        return this.#list(type);
      case 'map':
        return this.#map();
      default:
        return type satisfies never;
    }
  }

  #list(type: 'list' | 'set'): ThriftValue {
    const of = this.#type();
    const items: ThriftValue[] = [];
    for (let left = this.uint32(); left > 0; left--) items.push(this.#value(of));
    return { type, of, items };
  }

  #map(): ThriftValue {
    const [keys, values] = [this.#type(), this.#type()];
    const entries: ThriftEntry[] = [];
    for (let left = this.uint32(); left > 0; left--) entries.push([this.#value(keys), this.#value(values)]);
    return { type: 'map', of: [keys, values], entries };
  }

  #type(): ThriftType {
    const code = this.#bytes.readUInt8(this.#take(1));
    // An empty collection may leave its type open.
    return code === THRIFT.stop ? 'string' : nameOfType(code);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (start + length > this.#bytes.length) throw new Incomplete();
    this.#offset += length;
    return start;
  }
}

function nameOfType(code: number): ThriftType {
  const name = TYPE_NAMES.get(code);
  if (name === undefined) throw new RangeError(`Thrift has no type ${code}.`);
  return name;
}
