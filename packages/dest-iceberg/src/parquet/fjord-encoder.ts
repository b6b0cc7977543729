import { type FileMetadata, openParquetWriter } from '@fjord/parquet';
import type { OpenEncoder } from './encoder.ts';
import { leafTypes, metricsOf } from './metrics.ts';

/** Pages that are being filled take at most so much of each open file; wide tables get smaller pages. */
const BUFFER_BYTES = 24 * 1024 * 1024;

/** The encoder of @fjord/parquet: zstd level 1 unless said, dictionaries where they pay. It knows the statistics of what it wrote. */
export const openFjordEncoder: OpenEncoder = async (options, take) => {
  const { fields, compression, compressionLevel, rowGroupRows, rowGroupBytes, sortedBy } = options;
  const types = leafTypes(fields);
  let isAborted = false;
  const writer = await openParquetWriter({
    write: async (bytes) => {
      if (isAborted) throw new Error('the file was given up');
      if (await take(bytes)) giveBack(bytes);
    },
    compression,
    ...(compressionLevel !== undefined && { compressionLevel }),
    ...(sortedBy && { sortedBy }),
    uuidLogicalType: options.uuidLogicalType ?? true,
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
    // What is still on its way out must not follow.
    abort: async () => {
      isAborted = true;
    },
  };
};

/** The garbage of these pieces would be collected only when there are dozens of them. Each has memory of its own. */
function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
