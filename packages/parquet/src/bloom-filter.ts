import { ByteArrayValues } from './values/byte-array-values.ts';
import { FixedByteValues } from './values/fixed-byte-values.ts';
import type { PageValues } from './values/page-values.ts';
import { WordValues } from './values/word-values.ts';
import { CompactWriter } from './thrift/compact-writer.ts';
import { XxHash64 } from './xx-hash.ts';

/** A block is eight words; a value sets one bit in each (BloomFilter.md). */
const BLOCK_WORDS = 8;
const BLOCK_BYTES = 32;
const SALT = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);
/** Bits for each distinct value: about one false hit in a hundred. */
const BITS_PER_VALUE = 10.5;
const MAX_BYTES = 16 * 1024 * 1024;
const HEADER = { BYTES: 1, ALGORITHM: 2, HASH: 3, COMPRESSION: 4 };

/** The split block bloom filter of a column chunk. It is built at the end, when it is known how many values there are: until then their hashes are kept. */
export class BloomFilter {
  readonly #hash = new XxHash64();
  #hashes = new Uint32Array(1024);
  #count = 0;

  /** Notes the values of a page. Booleans have no filter. */
  addAll(values: PageValues): void {
    this.#reserve(values.count);
    if (values instanceof WordValues) {
      const bytes = new Uint8Array(values.words.buffer, 0, values.plainBytes);
      const width = 4 * values.width;
      for (let index = 0; index < values.count; index++) this.#add(bytes, index * width, width);
    } else if (values instanceof FixedByteValues) {
      const { data, width } = values;
      for (let index = 0; index < values.count; index++) this.#add(data, index * width, width);
    } else if (values instanceof ByteArrayValues) {
      const { data, offsets } = values;
      for (let index = 0; index < values.count; index++) {
        const start = offsets[index]!;
        this.#add(data, start, offsets[index + 1]! - start);
      }
    }
  }

  /** Header and bitset as they stand in the file; undefined if there was nothing to note. */
  encode(): Uint8Array | undefined {
    if (this.#count === 0) return undefined;
    const blocks = this.#blockCount();
    const bitset = new Int32Array(blocks * BLOCK_WORDS);
    for (let index = 0; index < this.#count; index++) {
      const [low, high] = [this.#hashes[2 * index]!, this.#hashes[2 * index + 1]!];
      const block = Math.floor((high * blocks) / 2 ** 32);
      for (let word = 0; word < BLOCK_WORDS; word++) {
        bitset[block * BLOCK_WORDS + word]! |= 1 << (Math.imul(low, SALT[word]!) >>> 27);
      }
    }
    const header = CompactWriter.write((writer) => {
      writer.i32(HEADER.BYTES, bitset.byteLength);
      // Unions of one empty struct each: split block, xxHash, uncompressed.
      for (const field of [HEADER.ALGORITHM, HEADER.HASH, HEADER.COMPRESSION])
        writer.struct(field, () => writer.struct(1, () => {}));
    });
    const bytes = new Uint8Array(header.length + bitset.byteLength);
    bytes.set(header);
    bytes.set(new Uint8Array(bitset.buffer), header.length);
    return bytes;
  }

  /** By distinct values, since equal ones set the same bits. */
  #blockCount(): number {
    const distinct = new Set<number>();
    for (let index = 0; index < this.#count; index++) {
      distinct.add(this.#hashes[2 * index]! + (this.#hashes[2 * index + 1]! & 0xf_ffff) * 2 ** 32);
    }
    const bytes = Math.min(MAX_BYTES, (distinct.size * BITS_PER_VALUE) / 8);
    return 2 ** Math.max(0, Math.ceil(Math.log2(bytes / BLOCK_BYTES)));
  }

  #add(bytes: Uint8Array, start: number, length: number): void {
    this.#hash.digest(bytes, start, length);
    this.#hashes[2 * this.#count] = this.#hash.low;
    this.#hashes[2 * this.#count + 1] = this.#hash.high;
    this.#count += 1;
  }

  #reserve(values: number): void {
    const needed = 2 * (this.#count + values);
    if (needed <= this.#hashes.length) return;
    const larger = new Uint32Array(Math.max(needed, 2 * this.#hashes.length));
    larger.set(this.#hashes.subarray(0, 2 * this.#count));
    this.#hashes = larger;
  }
}
