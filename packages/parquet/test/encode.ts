import { type FileMetadata, openParquetWriter, type ParquetWriterOptions } from '../src/index.ts';

/** Encodes Arrow IPC streams, each whole or in pieces, into one file in memory. */
export async function encode(
  streams: readonly (Uint8Array | readonly Uint8Array[])[],
  options: Omit<ParquetWriterOptions, 'write'> = {},
): Promise<{ file: Buffer; metadata: FileMetadata }> {
  const pieces: Uint8Array[] = [];
  const writer = await openParquetWriter({ ...options, write: (bytes) => void pieces.push(bytes) });
  for (const stream of streams) await writer.write(stream);
  const metadata = await writer.close();
  return { file: Buffer.concat(pieces), metadata };
}
