import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { SourceMessage } from '@fjord/core';
import type { LogPosition } from '../change-log.ts';

/** A message that waits, or the mark of a commit behind those it covers. */
export type HeldItem = { message: SourceMessage } | { covered: LogPosition };

/** The memory that all streams' held changes share; what does not fit goes to disk, up to a limit beyond which the log waits. */
export class HoldRoom {
  readonly folder: string;
  readonly #maxMemory: number;
  readonly #maxDisk: number;
  memory = 0;
  disk = 0;

  constructor({ folder, maxMemory, maxDisk }: { folder: string; maxMemory: number; maxDisk: number }) {
    this.folder = folder;
    this.#maxMemory = maxMemory;
    this.#maxDisk = maxDisk;
  }

  hasMemoryFor(bytes: number): boolean {
    return this.memory + bytes <= this.#maxMemory;
  }

  get isFull(): boolean {
    return this.disk >= this.#maxDisk;
  }
}

/** One stream's changes that wait for its chunks, in their order: in memory, and from where it was full on in a file that only we can read. */
export class HeldChanges implements AsyncDisposable {
  readonly #room: HoldRoom;
  readonly #name: string;
  #items: HeldItem[] = [];
  #file: FileHandle | undefined;
  #readAt = 0;
  #writtenAt = 0;
  /** Messages, in memory and on disk, that no commit covers yet. */
  #uncovered = 0;
  #marks = 0;
  #size = 0;
  #bytes = 0;

  constructor(room: HoldRoom, name: string) {
    this.#room = room;
    this.#name = name;
  }

  /** How many messages wait. */
  get size(): number {
    return this.#size;
  }

  /** About how many bytes wait, wherever they are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there are messages that a commit covers. */
  get hasCovered(): boolean {
    return this.#marks > 0;
  }

  async add(message: SourceMessage): Promise<void> {
    const bytes = sizeOf(message);
    this.#size += 1;
    this.#uncovered += 1;
    this.#bytes += bytes;
    if (!this.#file && this.#room.hasMemoryFor(bytes)) {
      this.#room.memory += bytes;
      this.#items.push({ message });
    } else await this.#append({ message });
  }

  /** A commit: all messages so far are covered by the position. */
  async cover(position: LogPosition): Promise<void> {
    if (this.#uncovered === 0) return;
    this.#uncovered = 0;
    this.#marks += 1;
    if (this.#file) await this.#append({ covered: position });
    else this.#items.push({ covered: position });
  }

  /** Takes out what commits cover, in order; a mark's position is given where it stands. What no commit covers stays. */
  async *release(): AsyncGenerator<HeldItem> {
    while (this.#marks > 0) {
      const kept = this.#items.shift();
      const item = kept ?? (await this.#read());
      if ('message' in item) {
        const bytes = sizeOf(item.message);
        this.#size -= 1;
        this.#bytes -= bytes;
        if (kept) this.#room.memory -= bytes;
      } else this.#marks -= 1;
      yield item;
    }
    if (this.#size === 0) await this.#closeFile();
  }

  /** Forgets everything: the chunks will hold it. */
  async forget(): Promise<void> {
    for (const item of this.#items) if ('message' in item) this.#room.memory -= sizeOf(item.message);
    this.#items = [];
    this.#size = 0;
    this.#uncovered = 0;
    this.#marks = 0;
    this.#bytes = 0;
    await this.#closeFile();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forget();
  }

  get #path(): string {
    return path.join(this.#room.folder, `${this.#name}.held`);
  }

  async #append(item: HeldItem): Promise<void> {
    this.#file ??= await open(this.#path, 'w+', 0o600);
    const body = 'message' in item && item.message.type === 'BATCH' ? item.message.body : [];
    const lengths = body.map(({ byteLength }) => byteLength);
    const head = Buffer.from(JSON.stringify({ item, lengths }, (key, value) => (key === 'body' ? undefined : value)));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(head.length);
    const pieces = [size, head, ...body];
    const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    await writeAll(this.#file, pieces, this.#writtenAt);
    this.#writtenAt += bytes;
    this.#room.disk += bytes;
  }

  async #read(): Promise<HeldItem> {
    if (!this.#file) throw new Error('held changes are missing');
    const size = await this.#readBytes(4);
    const head: unknown = JSON.parse((await this.#readBytes(Buffer.from(size).readUInt32LE())).toString());
    // Written by `#append` above.
    const { item, lengths } = head as { item: HeldItem; lengths: number[] };
    if (!('message' in item) || item.message.type !== 'BATCH') return item;
    const body: Uint8Array[] = [];
    for (const length of lengths) body.push(await this.#readBytes(length));
    return { message: { ...item.message, body } };
  }

  async #readBytes(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await this.#file!.read(bytes, filled, length - filled, this.#readAt + filled);
      if (bytesRead === 0) throw new Error('a file of held changes ends early');
      filled += bytesRead;
    }
    this.#readAt += length;
    return bytes;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#room.disk -= this.#writtenAt;
    this.#readAt = 0;
    this.#writtenAt = 0;
    await file.close();
    await rm(this.#path, { force: true });
  }
}

async function writeAll(file: FileHandle, pieces: Uint8Array[], position: number): Promise<void> {
  let at = position;
  for (const piece of pieces) {
    for (let written = 0; written < piece.byteLength;) {
      const { bytesWritten } = await file.write(piece, written, piece.byteLength - written, at);
      written += bytesWritten;
      at += bytesWritten;
    }
  }
}

/** A line's own bytes count little beside a batch's. */
const LINE_BYTES = 256;

function sizeOf(message: SourceMessage): number {
  if (message.type !== 'BATCH') return LINE_BYTES;
  return message.body.reduce((sum, { byteLength }) => sum + byteLength, LINE_BYTES);
}
