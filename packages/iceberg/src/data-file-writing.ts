/** What a thread needs that only writes data files: with the index it would load catalogs, commits and scans too, 8 MB of each thread. */
export { truncateLowerBound, truncateUpperBound } from './bounds.ts';
export type { DataFile } from './data-file.ts';
export { isPrimitive, type NestedField, parsePrimitive, type PrimitiveType, type Type } from './data-type.ts';
export { IcebergError } from './errors.ts';
export { type FileIO, type FileWriter, shareFileIOs } from './file-io.ts';
export { hashBytes, hashLong } from './murmur3.ts';
export { decodeValue, encodeValue, type Value } from './single-value.ts';
export { bindTransform, bucketOf, parseTransform } from './transform.ts';
