export type { Compression } from './compression.ts';
export { ParquetError, type ParquetErrorCode } from './errors.ts';
export type { ColumnStatistics, FileMetadata } from './file-metadata.ts';
export { type ColumnChunk, type ParquetFooter, type ParquetLeaf, readFooter } from './footer-reader.ts';
export { PHYSICAL } from './format.ts';
export { openParquetWriter, type ParquetWriter } from './parquet-writer.ts';
export type { BoundValue } from './statistics/bounds.ts';
export type { Encodings } from './value-encoder.ts';
export type { ParquetWriterOptions, SortedBy } from './writer-options.ts';
