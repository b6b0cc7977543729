import type { ArrowColumn } from './arrow/arrow-column.ts';
import { BloomFilter } from './bloom-filter.ts';
import { type Compress, releaseMemory } from './compression.ts';
import { CODEC, ENCODING } from './format.ts';
import { FlatLevels } from './levels/flat-levels.ts';
import type { Levels, RowRange } from './levels/levels.ts';
import { NestedLevels } from './levels/nested-levels.ts';
import { dataPageHeader, dictionaryPageHeader, type Page } from './page.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { PageStore } from './page-store.ts';
import type { Leaf } from './schema.ts';
import { type Bounds, mergeBounds } from './statistics/bounds.ts';
import { shortenBounds } from './statistics/shorten-bounds.ts';
import { ByteArrayValues } from './values/byte-array-values.ts';
import type { PageValues } from './values/page-values.ts';
import { type Encodings, ValueEncoder } from './value-encoder.ts';

/** Pages of narrow values end at so many, which is fine enough to skip by. */
const MAX_PAGE_VALUES = 262_144;
/** A column whose first page does not shrink below this share is stored as it is: readers then need not unpack it. */
const WORTH_COMPRESSING = 0.97;
/** A dictionary up to here is small beside its pages: it need not be compressed if those cannot be. */
const SMALL_DICTIONARY_BYTES = 16 * 1024;

/** How column chunks are encoded. */
export type ChunkOptions = {
  compression: keyof typeof CODEC;
  compress: Compress;
  pageBytes: number;
  hasChecksums: boolean;
  useDictionary: boolean;
  maxDictionaryBytes: number;
  encodings: Encodings;
  hasBloomFilter: boolean;
};

/** What a thread encodes with: one page at a time, and where the finished ones are kept. */
export type Workspace = { readonly buffer: PageBuffer; store: PageStore };

/** A finished column chunk. */
export type EncodedChunk = {
  dictionary: Page | undefined;
  pages: readonly Page[];
  codec: number;
  valueCount: number;
  nullCount: number;
  nanCount: number | undefined;
  bounds: Bounds | undefined;
  bloomFilter: BloomFilter | undefined;
};

/** Encodes one leaf, chunk after chunk: gathers rows until a page is full, encodes and compresses that page, and notes its statistics. */
export class ColumnChunk {
  readonly #leaf: Leaf;
  readonly #options: ChunkOptions;
  readonly #workspace: Workspace;
  readonly #levels: Levels;
  readonly #values: PageValues;
  #encoder: ValueEncoder;
  #bloomFilter: BloomFilter | undefined;
  #pages: Page[] = [];
  #codec: number;
  #rows = 0;
  #encodedBytes = 0;
  #nanCount: number | undefined;
  #bounds: Bounds | undefined;

  constructor(leaf: Leaf, options: ChunkOptions, workspace: Workspace) {
    this.#leaf = leaf;
    this.#options = options;
    this.#workspace = workspace;
    this.#levels =
      leaf.route.length === 1 && !leaf.isRepeated ? new FlatLevels(leaf.maxDefinition > 0) : new NestedLevels(leaf);
    this.#values = leaf.type.openValues();
    this.#encoder = new ValueEncoder(this.#values, options);
    this.#codec = CODEC[options.compression];
    if (options.hasBloomFilter) this.#bloomFilter = new BloomFilter();
  }

  /** Bytes of the chunk so far, pages encoded and the one that is being filled as it is. */
  get byteLength(): number {
    return this.#encodedBytes + this.#values.plainBytes;
  }

  /** Takes rows of a batch, given as its columns from the top-level one down to the leaf. */
  append(columns: readonly ArrowColumn[], { first, rows }: RowRange): void {
    const column = columns.at(-1);
    if (!column) throw new Error('a leaf without a column');
    const bytesPerRow = Math.max(averageBytes(column, columns[0]?.length ?? 1), 1 / 8);
    for (let done = 0; done < rows;) {
      const room = Math.ceil((this.#options.pageBytes - this.#values.plainBytes) / bytesPerRow);
      const taken = Math.min(rows - done, Math.max(1, room), Math.max(1, MAX_PAGE_VALUES - this.#levels.count));
      const selection = this.#levels.append(columns, { first: first + done, rows: taken });
      this.#values.append(column, selection);
      this.#rows += taken;
      done += taken;
      if (this.#values.plainBytes >= this.#options.pageBytes || this.#levels.count >= MAX_PAGE_VALUES) this.#endPage();
    }
  }

  /** Ends the chunk and begins the next. Its pages are valid until the store is cleared. */
  end(): EncodedChunk {
    if (this.#rows > 0) this.#endPage();
    const dictionary = this.#encodeDictionary();
    const chunk: EncodedChunk = {
      dictionary,
      pages: this.#pages,
      codec: this.#codec,
      valueCount: this.#pages.reduce((sum, page) => sum + page.valueCount, 0),
      nullCount: this.#pages.reduce((sum, page) => sum + page.nullCount, 0),
      nanCount: this.#nanCount,
      bounds: this.#bounds,
      bloomFilter: this.#bloomFilter,
    };
    this.#pages = [];
    this.#codec = CODEC[this.#options.compression];
    this.#encodedBytes = 0;
    this.#nanCount = undefined;
    this.#bounds = undefined;
    this.#encoder.release();
    this.#encoder = new ValueEncoder(this.#values, this.#options);
    if (this.#options.hasBloomFilter) this.#bloomFilter = new BloomFilter();
    return chunk;
  }

  #endPage(): void {
    const { buffer, store } = this.#workspace;
    const { pageBytes, hasChecksums } = this.#options;
    const { count: valueCount, nullCount } = this.#levels;
    // The buffer is every writer's: an error of another may have left something in it.
    buffer.length = 0;
    this.#levels.write(buffer);
    const encoding = this.#encoder.encode(buffer);
    const uncompressedBytes = buffer.length;
    const body = this.#compress(buffer.written(), encoding);
    const header = dataPageHeader({ uncompressedBytes, encoding, valueCount }, body, hasChecksums);
    const bounds = this.#takeStatistics(encoding);
    const dataBytes = this.#values instanceof ByteArrayValues ? this.#values.dataBytes : undefined;
    const page = {
      bytes: store.add(header, body),
      headerBytes: header.length,
      uncompressedBytes,
      encoding,
      rows: this.#rows,
    };
    this.#pages.push({ ...page, valueCount, nullCount, bounds, dataBytes });
    this.#encodedBytes += page.bytes.length;
    if (body.buffer !== buffer.bytes.buffer) releaseMemory(body);
    buffer.clear(4 * pageBytes);
    this.#levels.clear(pageBytes);
    this.#values.clear(4 * pageBytes);
    this.#rows = 0;
  }

  /** The first page decides for the chunk, whose pages share one codec. */
  #compress(bytes: Uint8Array, encoding: number): Uint8Array {
    if (this.#codec === CODEC.none) return bytes;
    const isBytes = this.#values instanceof ByteArrayValues && encoding !== ENCODING.RLE_DICTIONARY;
    const compressed = this.#options.compress(bytes, isBytes ? 'bytes' : 'numbers');
    if (this.#pages.length > 0 || compressed.length < bytes.length * WORTH_COMPRESSING) return compressed;
    const { dictionary } = this.#encoder;
    if (encoding === ENCODING.RLE_DICTIONARY && dictionary && dictionary.plainBytes > SMALL_DICTIONARY_BYTES)
      return compressed;
    releaseMemory(compressed);
    this.#codec = CODEC.none;
    return bytes;
  }

  #takeStatistics(encoding: number): Bounds | undefined {
    const { type } = this.#leaf;
    const nanCount = this.#values.nanCount();
    if (nanCount !== undefined) this.#nanCount = (this.#nanCount ?? 0) + nanCount;
    if (this.#bloomFilter) this.#bloomFilter.addAll(this.#values);
    const found = encoding === ENCODING.RLE_DICTIONARY ? this.#encoder.dictionaryBounds() : this.#values.bounds();
    const bounds = found && type.order === 'bytes' ? shortenBounds(found, type.isText) : found;
    this.#bounds = mergeBounds(type.order, this.#bounds, bounds);
    return bounds;
  }

  #encodeDictionary(): Page | undefined {
    const { dictionary } = this.#encoder;
    if (!dictionary || dictionary.count === 0) return undefined;
    const { buffer, store } = this.#workspace;
    buffer.length = 0;
    dictionary.writePlain(buffer);
    const uncompressedBytes = buffer.length;
    const content = this.#values instanceof ByteArrayValues ? 'bytes' : 'numbers';
    const body = this.#codec === CODEC.none ? buffer.written() : this.#options.compress(buffer.written(), content);
    const header = { uncompressedBytes, encoding: ENCODING.PLAIN, valueCount: dictionary.count };
    const headerBytes = dictionaryPageHeader(header, body, this.#options.hasChecksums);
    const bytes = store.add(headerBytes, body);
    buffer.clear(4 * this.#options.pageBytes);
    return {
      ...header,
      bytes,
      headerBytes: headerBytes.length,
      rows: 0,
      nullCount: 0,
      bounds: undefined,
      dataBytes: undefined,
    };
  }
}

/** About how many bytes a row takes in a page. */
function averageBytes({ offsets, values, length, field }: ArrowColumn, rows: number): number {
  if (rows === 0) return 0;
  const { kind } = field.type;
  if (kind === 'utf8' || kind === 'binary') return ((offsets[length] ?? 0) - (offsets[0] ?? 0) + 4 * length) / rows;
  // Nulls have no bytes, but levels.
  return Math.max(values.length, length / 8) / rows;
}
