/** Initial size of a sink: most manifests of a small commit fit. */
const INITIAL_BYTES = 16 * 1024;

/** A growing buffer with Avro's primitive encodings (Avro spec: Binary Encoding). */
export class ByteSink {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Returns a copy of the bytes written since the last call, and starts anew. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return bytes;
  }

  writeByte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Writes an int or long as a zigzag varint. */
  writeLong(value: bigint | number): void {
    this.#reserve(10);
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) {
      this.#writeVarint((value << 1) ^ (value >> 31));
      return;
    }
    const long = BigInt(value);
    let rest = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length);
    this.writeRaw(bytes);
  }

  writeString(text: string): void {
    const length = Buffer.byteLength(text);
    this.writeLong(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  writeFloat(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  writeDouble(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  writeRaw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #writeVarint(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads Avro's primitive encodings from bytes. Throws RangeError past the end. */
export class ByteSource {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True once all bytes are read. */
  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  readByte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw new RangeError('The Avro data ends too early.');
    return byte;
  }

  readLong(): bigint {
    // Most longs are short: four bytes fit into the integers that the engine is fast with.
    let short = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.readByte();
      short |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt((short >>> 1) ^ -(short & 1));
    }
    let value = BigInt(short);
    for (let shift = 28n; ; shift += 7n) {
      const byte = this.readByte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift > 63n) throw new RangeError('An Avro long has more than 10 bytes.');
    }
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  /** Passes over an int or long. */
  skipLong(): void {
    while (this.readByte() >= 0x80);
  }

  /** Passes over bytes. */
  skipBytes(): void {
    this.#skip(this.readInt());
  }

  /** Reads an int, a length or a count: a long that fits into a safe integer. */
  readInt(): number {
    const first = this.#bytes[this.#position];
    if (first !== undefined && first < 0x80) {
      this.#position++;
      return (first >>> 1) ^ -(first & 1);
    }
    return Number(this.readLong());
  }

  readBytes(): Uint8Array {
    return this.readRaw(this.readInt());
  }

  readString(): string {
    const length = this.readInt();
    const start = this.#skip(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  readFloat(): number {
    return this.#bytes.readFloatLE(this.#skip(4));
  }

  readDouble(): number {
    return this.#bytes.readDoubleLE(this.#skip(8));
  }

  /** Reads `length` bytes into an array of their own. */
  readRaw(length: number): Uint8Array {
    const start = this.#skip(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  #skip(length: number): number {
    const start = this.#position;
    if (length < 0 || start + length > this.#bytes.length) throw new RangeError('The Avro data ends too early.');
    this.#position += length;
    return start;
  }
}
