/** Physical types (parquet.thrift: Type). */
export const PHYSICAL = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;

/** Encodings of pages (parquet.thrift: Encoding). */
export const ENCODING = {
  PLAIN: 0,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
} as const;

/** Compression codecs by their names here (parquet.thrift: CompressionCodec). */
export const CODEC = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const;

/** Page types (parquet.thrift: PageType). */
export const PAGE = { DATA: 0, DICTIONARY: 2 } as const;

/** How often a field occurs (parquet.thrift: FieldRepetitionType). */
export const REPETITION = { REQUIRED: 0, OPTIONAL: 1, REPEATED: 2 } as const;

/** Begins and ends every file. */
export const MAGIC: Uint8Array = new TextEncoder().encode('PAR1');
