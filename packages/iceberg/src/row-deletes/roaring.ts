import { IcebergError } from '../errors.ts';
import { PositionSet } from './position-set.ts';

/** Marks of the portable Roaring format: without and with run containers (Roaring format specification, Cookie header). */
const COOKIE_WITHOUT_RUNS = 12346;
const COOKIE_WITH_RUNS = 12347;
/** With runs, offsets are left out of bitmaps of fewer containers. */
const OFFSETS_FROM = 4;
/** A container of more positions is written as bits, one of fewer as a list. */
const MOST_LISTED = 4096;
const BITS_BYTES = 8192;
/** Containers in one 32-bit bitmap. */
const KEYS_PER_BITMAP = 65_536;

/** A set of positions as a 64-bit Roaring bitmap in the portable format: 32-bit bitmaps by their upper half, little-endian. */
export function encodeRoaring(set: PositionSet): Uint8Array {
  const keys = set.keys().filter((key) => set.container(key).count > 0);
  const bitmaps = [...Map.groupBy(keys, (key) => Math.floor(key / KEYS_PER_BITMAP))];
  const count = Buffer.alloc(8);
  count.writeUInt32LE(bitmaps.length);
  const parts: Uint8Array[] = [count];
  for (const [high, own] of bitmaps) {
    const key = Buffer.alloc(4);
    key.writeUInt32LE(high);
    parts.push(key, ...encodeBitmap(set, own));
  }
  return Buffer.concat(parts);
}

function encodeBitmap(set: PositionSet, keys: readonly number[]): Uint8Array[] {
  const containers = keys.map((key) => encodeContainer(set, key));
  const header = Buffer.alloc(8 + keys.length * 8);
  header.writeUInt32LE(COOKIE_WITHOUT_RUNS);
  header.writeUInt32LE(keys.length, 4);
  let offset = header.length;
  for (const [index, key] of keys.entries()) {
    header.writeUInt16LE(key % KEYS_PER_BITMAP, 8 + index * 4);
    header.writeUInt16LE(set.container(key).count - 1, 10 + index * 4);
    header.writeUInt32LE(offset, 8 + keys.length * 4 + index * 4);
    offset += containers[index]?.length ?? 0;
  }
  return [header, ...containers];
}

function encodeContainer(set: PositionSet, key: number): Uint8Array {
  const { words, count } = set.container(key);
  if (count > MOST_LISTED) {
    const bits = Buffer.alloc(BITS_BYTES);
    for (const [index, word] of words.entries()) bits.writeUInt32LE(word >>> 0, index * 4);
    return bits;
  }
  const list = Buffer.alloc(count * 2);
  let at = 0;
  for (const [index, word] of words.entries()) {
    for (let bits = word; bits !== 0; bits &= bits - 1) {
      at = list.writeUInt16LE(index * 32 + (31 - Math.clz32(bits & -bits)), at);
    }
  }
  return list;
}

/** Reads a 64-bit Roaring bitmap in the portable format; `invalid_delete_file` for anything else. */
export function decodeRoaring(bytes: Uint8Array, location: string): PositionSet {
  const set = new PositionSet();
  try {
    const reader = new Reader(bytes);
    const bitmaps = reader.uint32();
    if (reader.uint32() !== 0) throw new RangeError('too many bitmaps');
    for (let index = 0; index < bitmaps; index++) decodeBitmap(reader, reader.uint32() * KEYS_PER_BITMAP, set);
  } catch (cause) {
    throw new IcebergError('invalid_delete_file', `The deletion vector in ${location} is damaged.`, { cause });
  }
  set.recount();
  return set;
}

function decodeBitmap(reader: Reader, base: number, set: PositionSet): void {
  const cookie = reader.uint32();
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new RangeError('no Roaring bitmap');
  const count = hasRuns ? (cookie >>> 16) + 1 : reader.uint32();
  if (count > KEYS_PER_BITMAP) throw new RangeError('too many containers');
  const runs = hasRuns ? reader.bytes(Math.ceil(count / 8)) : undefined;
  const headers = Array.from({ length: count }, () => ({ key: reader.uint16(), count: reader.uint16() + 1 }));
  if (!hasRuns || count >= OFFSETS_FROM) reader.bytes(count * 4);
  for (const [index, header] of headers.entries()) {
    const isRun = (((runs?.[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1;
    const { words } = set.container(base + header.key);
    if (isRun) decodeRuns(reader, words);
    else if (header.count > MOST_LISTED) for (let word = 0; word < words.length; word++) words[word] = reader.uint32();
    else for (let each = 0; each < header.count; each++) setBit(words, reader.uint16());
  }
}

function decodeRuns(reader: Reader, words: Uint32Array): void {
  const runs = reader.uint16();
  for (let run = 0; run < runs; run++) {
    const start = reader.uint16();
    const last = start + reader.uint16();
    if (last > 0xffff) throw new RangeError('a run beyond its container');
    for (let low = start; low <= last; low++) setBit(words, low);
  }
}

function setBit(words: Uint32Array, low: number): void {
  words[low >>> 5] = (words[low >>> 5] ?? 0) | (1 << (low & 31));
}

/** Reads little-endian numbers one after the other; a RangeError beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint16(): number {
    const value = this.#bytes.readUInt16LE(this.#at);
    this.#at += 2;
    return value;
  }

  uint32(): number {
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('the bytes end too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
