import type { FileIO } from './file-io.ts';

/** So much of a file is in memory at once where the storage cannot copy by itself. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Copies a file within one storage: by the storage itself where it can, else piece by piece. The copy is there whole or not at all. */
export async function copyFile(io: FileIO, from: string, to: string): Promise<void> {
  if (io.copy) return io.copy(from, to);
  const writer = await io.createWriter(to);
  try {
    for (let offset = 0; ; offset += PIECE_BYTES) {
      const piece = await io.readRange(from, offset, PIECE_BYTES);
      if (piece.length > 0) await writer.write(piece);
      if (piece.length < PIECE_BYTES) break;
    }
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
