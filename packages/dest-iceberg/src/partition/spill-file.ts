import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IcebergError } from '@fjord/iceberg/data-file-writing';

/** A piece that lies in a spill file. */
export type SpilledPiece = { readonly offset: number; readonly length: number };

/**
 * A temporary file of the system's temporary folder that only this user can read. It has no name: nothing of it remains once it is closed
 * or the process ends, however it ends.
 */
export class SpillFile implements AsyncDisposable {
  #file: Promise<FileHandle> | undefined;
  #length = 0;

  /** Appends a piece. Throws `storage_failed` if the disk is full. */
  async append(pieces: readonly Uint8Array[]): Promise<SpilledPiece> {
    const length = pieces.reduce((total, piece) => total + piece.length, 0);
    const offset = this.#length;
    this.#length += length;
    this.#file ??= openUnnamed();
    const file = await this.#file;
    try {
      await file.writev([...pieces], offset);
    } catch (cause) {
      throw new IcebergError(
        'storage_failed',
        `Rows that wait for their place in the table could not be put aside in ${tmpdir()}; free space there or set TMPDIR to another folder.`,
        { cause },
      );
    }
    return { offset, length };
  }

  /** Reads a piece into memory of its own. */
  async read({ offset, length }: SpilledPiece): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#file) throw new Error('nothing was spilled');
    const file = await this.#file;
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead !== length) throw new Error('a spill file is shorter than what was written to it');
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    await file?.close();
  }
}

async function openUnnamed(): Promise<FileHandle> {
  const name = path.join(tmpdir(), `fjord-spill-${randomUUID()}`);
  const file = await open(name, 'wx+', 0o600);
  await unlink(name);
  return file;
}
