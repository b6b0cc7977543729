import { ByteArrayDictionary } from './byte-array-dictionary.ts';
import { type Dictionary, type DictionaryLimits, estimateDistinct } from './dictionary.ts';
import { appendBitPacked, bitWidthOf } from './encodings/bit-pack.ts';
import { appendByteStreams } from './encodings/byte-stream-split.ts';
import { appendDeltas } from './encodings/delta-binary-packed.ts';
import { appendLengthsAndBytes } from './encodings/delta-length-byte-array.ts';
import { ENCODING } from './format.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { Bounds } from './statistics/bounds.ts';
import { ByteArrayValues } from './values/byte-array-values.ts';
import type { PageValues } from './values/page-values.ts';
import { WordValues } from './values/word-values.ts';
import { WordDictionary } from './word-dictionary.ts';

/** How values without a dictionary are encoded. What does not pay, page by page, is written PLAIN. */
export type Encodings = {
  /** INT32 and INT64: `delta` makes ascending keys and times much smaller. Older readers may lack it. */
  integers: 'plain' | 'delta';
  /** Text and binary: `delta-length` writes all lengths, then all bytes. Older readers may lack it. */
  byteArrays: 'plain' | 'delta-length';
  /** FLOAT and DOUBLE: `byte-stream-split` compresses measurements better. */
  floats: 'plain' | 'byte-stream-split';
};

/** So many values of the first page show whether a dictionary would stay small. */
const SAMPLE_VALUES = 16_384;
/** With more distinct values than this, indices hardly save anything. */
const MAX_LIKELY_ENTRIES = 32_768;
/** Indices then still take two bytes. */
const MAX_ENTRIES = 65_536;

let indices = new Uint32Array(0);

/** Chooses and applies the encoding of a column chunk's pages: a dictionary while it pays, and what the options say otherwise. */
export class ValueEncoder {
  readonly #values: PageValues;
  readonly #encodings: Encodings;
  readonly #limits: DictionaryLimits;
  #choice: 'open' | 'dictionary' | 'direct';
  #dictionary: Dictionary | undefined;

  constructor(
    values: PageValues,
    {
      encodings,
      useDictionary,
      maxDictionaryBytes,
    }: { encodings: Encodings; useDictionary: boolean; maxDictionaryBytes: number },
  ) {
    this.#values = values;
    this.#encodings = encodings;
    this.#limits = { maxEntries: MAX_ENTRIES, maxBytes: maxDictionaryBytes };
    this.#choice = useDictionary ? 'open' : 'direct';
  }

  /** The dictionary of the pages so far, if they have one. */
  get dictionary(): Dictionary | undefined {
    return this.#dictionary;
  }

  /** Gives the memory of the dictionary back: the chunk is at its end. */
  release(): void {
    this.#dictionary?.release();
  }

  /** Appends the values to the page; gives the encoding. */
  encode(page: PageBuffer): number {
    if (this.#choice === 'open' && this.#values.count > 0) this.#choose();
    if (this.#choice === 'dictionary' && this.#values.count > 0 && this.#appendIndices(page))
      return ENCODING.RLE_DICTIONARY;
    return this.#appendDirect(page);
  }

  /** Bounds of the page that was just encoded with the dictionary: where many values are few, those few are compared. */
  dictionaryBounds(): Bounds | undefined {
    const dictionary = this.#dictionary;
    if (!dictionary?.boundsOf) return this.#values.bounds();
    const isUsed = new Uint8Array(dictionary.count);
    for (let index = 0; index < this.#values.count; index++) isUsed[indices[index]!] = 1;
    const used = new Int32Array(dictionary.count);
    let count = 0;
    for (let entry = 0; entry < isUsed.length; entry++) if (isUsed[entry] === 1) used[count++] = entry;
    return dictionary.boundsOf(used.subarray(0, count));
  }

  #choose(): void {
    const sampled = Math.min(SAMPLE_VALUES, this.#values.count);
    reserveIndices(this.#values.count);
    const sample = createDictionary(this.#values, { maxEntries: Infinity, maxBytes: this.#limits.maxBytes });
    const isSmall = sample?.addPage(sampled, indices) && estimateDistinct(sample.count, sampled) <= MAX_LIKELY_ENTRIES;
    sample?.release();
    this.#choice = isSmall ? 'dictionary' : 'direct';
    if (isSmall) this.#dictionary = createDictionary(this.#values, this.#limits);
  }

  /** False, with the page as it was, if the dictionary cannot take the page's values, or as the first page shows does not pay. */
  #appendIndices(page: PageBuffer): boolean {
    const dictionary = this.#dictionary;
    const { count, plainBytes } = this.#values;
    reserveIndices(count);
    if (!dictionary) return false;
    const isFirst = dictionary.count === 0;
    const isAdded = dictionary.addPage(count, indices);
    const bitWidth = Math.max(1, bitWidthOf(dictionary.count - 1));
    const pays = !isFirst || dictionary.plainBytes + (count * bitWidth) / 8 < plainBytes;
    if (!isAdded || !pays) {
      this.#choice = 'direct';
      if (isFirst) this.#dictionary = undefined;
      return false;
    }
    page.append(Uint8Array.of(bitWidth));
    page.appendVarint(((count + 7) >> 3) * 2 + 1);
    appendBitPacked(page, indices, { count, bitWidth });
    return true;
  }

  #appendDirect(page: PageBuffer): number {
    const values = this.#values;
    const { integers, byteArrays, floats } = this.#encodings;
    if (values instanceof ByteArrayValues && byteArrays === 'delta-length' && appendLengthsAndBytes(page, values)) {
      return ENCODING.DELTA_LENGTH_BYTE_ARRAY;
    }
    if (values instanceof WordValues) {
      if (values.isFloat && floats === 'byte-stream-split') {
        appendByteStreams(page, new Uint8Array(values.words.buffer, 0, values.plainBytes), 4 * values.width);
        return ENCODING.BYTE_STREAM_SPLIT;
      }
      if (!values.isFloat && integers === 'delta' && appendDeltas(page, values.words, values)) {
        return ENCODING.DELTA_BINARY_PACKED;
      }
    }
    values.writePlain(page);
    return ENCODING.PLAIN;
  }
}

function reserveIndices(count: number): void {
  if (indices.length < count) indices = new Uint32Array(2 * count);
}

function createDictionary(values: PageValues, limits: DictionaryLimits): Dictionary | undefined {
  if (values instanceof WordValues) return new WordDictionary(values, limits);
  if (values instanceof ByteArrayValues) return new ByteArrayDictionary(values, limits);
  return undefined;
}
