import fc from 'fast-check';
import type { ParquetWriterOptions } from '../src/index.ts';

/** Options of a writer, and how its stream is handed over. */
export type AnyOptions = {
  options: Omit<ParquetWriterOptions, 'write'>;
  /** Every n-th column has a bloom filter or no dictionary; 0 for none. */
  bloomEvery: number;
  plainEvery: number;
  /** Places, as shares of the stream, where it is cut into pieces. */
  cuts: number[];
};

/** Any options, mostly with limits so small that a few thousand rows meet them. */
export const anyOptions: fc.Arbitrary<AnyOptions> = fc.record({
  options: fc.record(
    {
      compression: fc.constantFrom('zstd', 'gzip', 'snappy', 'none'),
      compressionLevel: fc.constantFrom(1, 3),
      rowGroupRows: fc.constantFrom(1, 7, 100, 1000, 100_000),
      rowGroupBytes: fc.constantFrom(1, 10_000, 1_000_000),
      pageBytes: fc.constantFrom(1, 4096, 20_000, 1_000_000),
      bufferBytes: fc.constantFrom(1, 100_000, 10_000_000),
      plainColumns: fc.constant(false),
      encodings: fc.record({
        integers: fc.constantFrom('plain', 'delta'),
        byteArrays: fc.constantFrom('plain', 'delta-length'),
        floats: fc.constantFrom('plain', 'byte-stream-split'),
      }),
      pageIndex: fc.boolean(),
      pageChecksums: fc.boolean(),
      uuidLogicalType: fc.boolean(),
      keyValueMetadata: fc.constant({ made: 'by a test', empty: '' }),
    },
    { requiredKeys: [] },
  ),
  bloomEvery: fc.constantFrom(0, 0, 1, 2),
  plainEvery: fc.constantFrom(0, 0, 2),
  cuts: fc.array(fc.noBias(fc.nat(999)), { maxLength: 3 }),
});

/** The options with the columns that they name, every n-th of the file's. */
export function withColumns(
  { options, bloomEvery, plainEvery }: AnyOptions,
  columns: readonly string[],
): Omit<ParquetWriterOptions, 'write'> {
  const every = (step: number) => (step === 0 ? [] : columns.filter((_, index) => index % step === 0));
  const plainColumns = options.plainColumns === false ? false : every(plainEvery);
  return { ...options, bloomFilters: every(bloomEvery), plainColumns };
}

/** A stream in pieces, cut at shares of its length in thousandths. */
export function cutStream(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => Math.floor((cut * stream.length) / 1000)), stream.length];
  const sorted = places.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => stream.slice(sorted[index], end));
}
