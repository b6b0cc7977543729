import { type FileMetadata, openParquetWriter } from '@fjord/parquet';
import type { OpenEncoder } from './encoder.ts';
import { leafTypes, metricsOf } from './metrics.ts';

/** Pages that are being filled take at most so much of each open file; wide tables get smaller pages. */
const BUFFER_BYTES = 24 * 1024 * 1024;

/** The encoder of @fjord/parquet: zstd level 1 unless said, dictionaries where they pay. It knows the statistics of what it wrote. */
export const openFjordEncoder: OpenEncoder = async (options, onChunk) => {
  const { fields, compression, compressionLevel, rowGroupRows, rowGroupBytes } = options;
  const types = leafTypes(fields);
  const writer = await openParquetWriter({
    write: onChunk,
    compression,
    ...(compressionLevel !== undefined && { compressionLevel }),
    rowGroupRows,
    rowGroupBytes,
    bufferBytes: BUFFER_BYTES,
  });
  return {
    write: (stream) => writer.write(stream),
    close: async () => {
      const metadata: FileMetadata = await writer.close();
      return { rowCount: BigInt(metadata.rowCount), metrics: metricsOf(metadata, types) };
    },
    // It holds nothing but memory.
    abort: () => Promise.resolve(),
  };
};
