import type { EncodedChunk } from './column-chunk.ts';
import { CHUNK, FILE, MAX_ORDINAL, METADATA, ROW_GROUP, STATISTICS } from './footer-fields.ts';
import { ENCODING, MAGIC, PAGE } from './format.ts';
import type { Page } from './page.ts';
import { type Leaf, type ParquetSchema, writeSchema } from './schema.ts';
import type { Bounds } from './statistics/bounds.ts';
import { CompactWriter } from './thrift/compact-writer.ts';

/** Where a part of the file lies. */
export type Extent = { offset: number; bytes: number };

/** What the footer says of a column chunk; page bytes are no longer needed for it. */
export type ChunkMetadata = {
  codec: number;
  encodings: { page: number; encoding: number; count: number }[];
  valueCount: number;
  nullCount: number;
  bounds: Bounds | undefined;
  /** With the headers of pages, as the format counts. */
  uncompressedBytes: number;
  compressedBytes: number;
  dictionaryOffset: number | undefined;
  dataOffset: number;
  dataBytes: number | undefined;
  bloomFilter: Extent | undefined;
  columnIndex: Extent | undefined;
  offsetIndex: Extent | undefined;
};

/** What the footer says of a row group. */
export type RowGroupMetadata = { rows: number; offset: number; chunks: ChunkMetadata[] };

/** By which leaf rows are sorted: what the writer was told, it does not sort. */
export type SortingColumn = { leaf: number; isDescending: boolean; nullsFirst: boolean };

/** All that a footer holds. */
export type FileFooter = {
  schema: ParquetSchema;
  rows: number;
  rowGroups: readonly RowGroupMetadata[];
  sortingColumns: readonly SortingColumn[];
  keyValueMetadata: Readonly<Record<string, string>>;
};

const SORTING = { COLUMN: 1, DESCENDING: 2, NULLS_FIRST: 3 };
const FORMAT_VERSION = 2;

/** What is kept of a chunk once it is written, the dictionary page (or else the first data page) at `offset`. */
export function chunkMetadata(chunk: EncodedChunk, offset: number): ChunkMetadata {
  const { dictionary, pages, codec, valueCount, nullCount, bounds } = chunk;
  const all = dictionary ? [dictionary, ...pages] : pages;
  const dataBytes = pages.some((page) => page.dataBytes !== undefined)
    ? pages.reduce((sum, page) => sum + (page.dataBytes ?? 0), 0)
    : undefined;
  return {
    codec,
    encodings: countEncodings(chunk),
    valueCount,
    nullCount,
    bounds,
    uncompressedBytes: all.reduce((sum, page) => sum + page.headerBytes + page.uncompressedBytes, 0),
    compressedBytes: all.reduce((sum, page) => sum + page.bytes.length, 0),
    dictionaryOffset: dictionary ? offset : undefined,
    dataOffset: offset + (dictionary?.bytes.length ?? 0),
    dataBytes,
    bloomFilter: undefined,
    columnIndex: undefined,
    offsetIndex: undefined,
  };
}

/** The footer with its length and the magic number that end a file (README.md of parquet-format, File format). */
export function encodeFooter(footer: FileFooter): Uint8Array {
  const metadata = CompactWriter.write((writer) => {
    writer.i32(FILE.VERSION, FORMAT_VERSION);
    writeSchema(writer, FILE.SCHEMA, footer.schema);
    writer.i64(FILE.ROWS, footer.rows);
    const groups = footer.rowGroups.map((group, ordinal) => ({ group, ordinal }));
    writer.list(FILE.ROW_GROUPS, 'struct', groups, ({ group, ordinal }) =>
      writer.element(() => writeRowGroup(writer, footer, { group, ordinal })),
    );
    const pairs = Object.entries(footer.keyValueMetadata);
    if (pairs.length > 0) {
      writer.list(FILE.KEY_VALUES, 'struct', pairs, ([key, value]) =>
        writer.element(() => {
          writer.binary(1, key);
          writer.binary(2, value);
        }),
      );
    }
    writer.binary(FILE.CREATED_BY, '@fjord/parquet');
    // TypeDefinedOrder for each leaf: without it readers trust no bounds.
    writer.list(FILE.COLUMN_ORDERS, 'struct', footer.schema.leaves, () =>
      writer.element(() => writer.struct(1, () => {})),
    );
  });
  const bytes = new Uint8Array(metadata.length + 4 + MAGIC.length);
  bytes.set(metadata);
  new DataView(bytes.buffer).setUint32(metadata.length, metadata.length, true);
  bytes.set(MAGIC, metadata.length + 4);
  return bytes;
}

function countEncodings({ dictionary, pages }: EncodedChunk): ChunkMetadata['encodings'] {
  const counts = new Map<number, number>();
  for (const { encoding } of pages) counts.set(encoding, (counts.get(encoding) ?? 0) + 1);
  const data = [...counts].map(([encoding, count]) => ({ page: PAGE.DATA, encoding, count }));
  const ofDictionary = (page: Page) => ({ page: PAGE.DICTIONARY, encoding: page.encoding, count: 1 });
  return dictionary ? [ofDictionary(dictionary), ...data] : data;
}

function writeRowGroup(
  writer: CompactWriter,
  { schema, sortingColumns }: FileFooter,
  { group, ordinal }: { group: RowGroupMetadata; ordinal: number },
): void {
  const chunks = group.chunks.map((chunk, index) => ({ chunk, leaf: schema.leaves[index] }));
  writer.list(ROW_GROUP.COLUMNS, 'struct', chunks, ({ chunk, leaf }) =>
    writer.element(() => {
      if (leaf) writeChunk(writer, leaf, chunk);
    }),
  );
  writer.i64(
    ROW_GROUP.BYTES,
    group.chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  );
  writer.i64(ROW_GROUP.ROWS, group.rows);
  if (sortingColumns.length > 0) {
    writer.list(ROW_GROUP.SORTING, 'struct', sortingColumns, ({ leaf, isDescending, nullsFirst }) =>
      writer.element(() => {
        writer.i32(SORTING.COLUMN, leaf);
        writer.boolean(SORTING.DESCENDING, isDescending);
        writer.boolean(SORTING.NULLS_FIRST, nullsFirst);
      }),
    );
  }
  writer.i64(ROW_GROUP.OFFSET, group.offset);
  writer.i64(
    ROW_GROUP.COMPRESSED,
    group.chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
  );
  if (ordinal <= MAX_ORDINAL) writer.i16(ROW_GROUP.ORDINAL, ordinal);
}

function writeChunk(writer: CompactWriter, leaf: Leaf, chunk: ChunkMetadata): void {
  writer.i64(CHUNK.FILE_OFFSET, 0);
  writer.struct(CHUNK.METADATA, () => writeMetadata(writer, leaf, chunk));
  writer.i64(CHUNK.OFFSET_INDEX, chunk.offsetIndex?.offset);
  writer.i32(CHUNK.OFFSET_INDEX_BYTES, chunk.offsetIndex?.bytes);
  writer.i64(CHUNK.COLUMN_INDEX, chunk.columnIndex?.offset);
  writer.i32(CHUNK.COLUMN_INDEX_BYTES, chunk.columnIndex?.bytes);
}

function writeMetadata(writer: CompactWriter, { type, path }: Leaf, chunk: ChunkMetadata): void {
  writer.i32(METADATA.TYPE, type.physical);
  const encodings = new Set([...chunk.encodings.map(({ encoding }) => encoding), ENCODING.RLE]);
  writer.list(METADATA.ENCODINGS, 'i32', [...encodings], (encoding) => writer.integerElement(encoding));
  writer.list(METADATA.PATH, 'binary', path, (name) => writer.binaryElement(name));
  writer.i32(METADATA.CODEC, chunk.codec);
  writer.i64(METADATA.VALUES, chunk.valueCount);
  writer.i64(METADATA.UNCOMPRESSED, chunk.uncompressedBytes);
  writer.i64(METADATA.COMPRESSED, chunk.compressedBytes);
  writer.i64(METADATA.DATA_PAGE, chunk.dataOffset);
  writer.i64(METADATA.DICTIONARY_PAGE, chunk.dictionaryOffset);
  writer.struct(METADATA.STATISTICS, () => writeStatistics(writer, chunk));
  writer.list(METADATA.ENCODING_STATS, 'struct', chunk.encodings, ({ page, encoding, count }) =>
    writer.element(() => {
      writer.i32(1, page);
      writer.i32(2, encoding);
      writer.i32(3, count);
    }),
  );
  writer.i64(METADATA.BLOOM_FILTER, chunk.bloomFilter?.offset);
  writer.i32(METADATA.BLOOM_FILTER_BYTES, chunk.bloomFilter?.bytes);
  if (chunk.dataBytes !== undefined) writer.struct(METADATA.SIZE_STATISTICS, () => writer.i64(1, chunk.dataBytes));
}

function writeStatistics(writer: CompactWriter, { nullCount, bounds }: ChunkMetadata): void {
  writer.i64(STATISTICS.NULLS, nullCount);
  writer.binary(STATISTICS.MAX, bounds?.max);
  writer.binary(STATISTICS.MIN, bounds?.min);
  if (bounds?.max) writer.boolean(STATISTICS.IS_MAX_EXACT, !bounds.isMaxShortened);
  if (bounds) writer.boolean(STATISTICS.IS_MIN_EXACT, !bounds.isMinShortened);
}
