/** Numbers of fields in the structs of a footer (parquet.thrift). */
export const FILE = {
  VERSION: 1,
  SCHEMA: 2,
  ROWS: 3,
  ROW_GROUPS: 4,
  KEY_VALUES: 5,
  CREATED_BY: 6,
  COLUMN_ORDERS: 7,
} as const;
export const ROW_GROUP = {
  COLUMNS: 1,
  BYTES: 2,
  ROWS: 3,
  SORTING: 4,
  OFFSET: 5,
  COMPRESSED: 6,
  ORDINAL: 7,
} as const;
export const CHUNK = {
  PATH: 1,
  FILE_OFFSET: 2,
  METADATA: 3,
  OFFSET_INDEX: 4,
  OFFSET_INDEX_BYTES: 5,
  COLUMN_INDEX: 6,
  COLUMN_INDEX_BYTES: 7,
  CRYPTO: 8,
  ENCRYPTED: 9,
} as const;
export const METADATA = {
  TYPE: 1,
  ENCODINGS: 2,
  PATH: 3,
  CODEC: 4,
  VALUES: 5,
  UNCOMPRESSED: 6,
  COMPRESSED: 7,
  DATA_PAGE: 9,
  INDEX_PAGE: 10,
  DICTIONARY_PAGE: 11,
  STATISTICS: 12,
  ENCODING_STATS: 13,
  BLOOM_FILTER: 14,
  BLOOM_FILTER_BYTES: 15,
  SIZE_STATISTICS: 16,
} as const;
export const STATISTICS = { NULLS: 3, MAX: 5, MIN: 6, IS_MAX_EXACT: 7, IS_MIN_EXACT: 8 } as const;

/** The highest ordinal that a row group can say of itself: a 16-bit integer. */
export const MAX_ORDINAL = 32_767;
/** The footer's length (4 bytes, little-endian) and the magic number end every file. */
export const TRAILER_BYTES = 8;
