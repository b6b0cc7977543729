import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError } from '@fjord/core';
import { MessageBuffer } from './message-buffer.ts';

/** Written in large pieces, and at once: the log waits for the disk, and nothing waits in memory for a slow one. */
const PIECE_BYTES = 1024 * 1024;
/** In front of each message: its length, and the transaction within the transaction (savepoint) that made it. */
const FRAME_BYTES = 8;

/** Messages of transactions that are under way in the database and too large for its memory: kept on disk until they commit, or dropped. */
export class StreamedTransactions {
  readonly #folder: string;
  readonly #files = new Map<number, TransactionFile>();
  #current: TransactionFile | undefined;

  /** The folder is the caller's, who removes it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether messages are those of a transaction under way. */
  get isInBlock(): boolean {
    return this.#current !== undefined;
  }

  beginBlock(xid: number): void {
    this.#current = this.#files.get(xid) ?? new TransactionFile(path.join(this.#folder, `transaction-${xid}`));
    this.#files.set(xid, this.#current);
  }

  endBlock(): void {
    this.#current = undefined;
  }

  /** Keeps a message of the current block, which has its transaction behind its type. */
  keep(buffer: MessageBuffer, at: number, end: number): void {
    this.#current?.append(buffer, at, end);
  }

  /** Drops a transaction, or the part of it that was rolled back to a savepoint. */
  abort(xid: number, part: number): void {
    const file = this.#files.get(xid);
    if (xid !== part) file?.aborted.add(part);
    else if (file) this.#drop(xid, file);
  }

  /** Gives the messages that count of a transaction that was committed, in a buffer that is filled anew in between, after `beforeFill`; then drops them. */
  *replay(xid: number, beforeFill: () => void): Generator<{ buffer: MessageBuffer; at: number; end: number }> {
    const file = this.#files.get(xid);
    if (!file) return;
    try {
      yield* file.messages(beforeFill);
    } finally {
      this.#drop(xid, file);
    }
  }

  /** Closes and removes all files. */
  clear(): void {
    for (const [xid, file] of this.#files) this.#drop(xid, file);
    this.#current = undefined;
  }

  #drop(xid: number, file: TransactionFile): void {
    this.#files.delete(xid);
    file.remove();
  }
}

class TransactionFile {
  /** Parts that were rolled back. */
  readonly aborted = new Set<number>();
  readonly #path: string;
  readonly #fd: number;
  #piece = Buffer.allocUnsafeSlow(64 * 1024);
  #filled = 0;
  #written = 0;

  constructor(file: string) {
    this.#path = file;
    this.#fd = asStorageError(() => openSync(file, 'w+', 0o600));
  }

  append({ bytes, view }: MessageBuffer, at: number, end: number): void {
    const length = end - at - 4;
    this.#reserve(FRAME_BYTES + length);
    this.#piece.writeInt32BE(length, this.#filled);
    this.#piece.writeUInt32BE(view.getUint32(at + 1), this.#filled + 4);
    this.#piece[this.#filled + FRAME_BYTES] = bytes[at]!;
    bytes.copy(this.#piece, this.#filled + FRAME_BYTES + 1, at + 5, end);
    this.#filled += FRAME_BYTES + length;
    if (this.#filled >= PIECE_BYTES) this.#write();
  }

  *messages(beforeFill: () => void): Generator<{ buffer: MessageBuffer; at: number; end: number }> {
    this.#write();
    const buffer = new MessageBuffer(2 * PIECE_BYTES);
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    for (let read = 0; read < this.#written;) {
      const count = asStorageError(() => readSync(this.#fd, piece, 0, piece.length, read));
      if (count === 0) throw new Error('a file of changes is shorter than it was written');
      read += count;
      beforeFill();
      buffer.append(piece.subarray(0, count));
      yield* this.#framed(buffer);
    }
  }

  remove(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  *#framed(buffer: MessageBuffer): Generator<{ buffer: MessageBuffer; at: number; end: number }> {
    while (buffer.length >= FRAME_BYTES) {
      const at = buffer.start + FRAME_BYTES;
      const end = at + buffer.view.getInt32(buffer.start);
      if (end > buffer.end) return;
      const part = buffer.view.getUint32(buffer.start + 4);
      buffer.start = end;
      if (!this.aborted.has(part)) yield { buffer, at, end };
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#piece.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#piece.length));
    this.#piece.copy(larger, 0, 0, this.#filled);
    this.#piece = larger;
  }

  #write(): void {
    for (let at = 0; at < this.#filled;) {
      at += asStorageError(() => writeSync(this.#fd, this.#piece, at, this.#filled - at, this.#written + at));
    }
    this.#written += this.#filled;
    this.#filled = 0;
  }
}

/** A full disk is nothing that a row is lost by: the log is read again. */
function asStorageError<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const message = 'Changes of a large transaction cannot be kept on the local disk until it commits.';
    throw new ConnectorError('storage_failed', message, { cause });
  }
}
