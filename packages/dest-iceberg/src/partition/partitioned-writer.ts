import type { Column } from '@fjord/core';
import type { DataFile, Partition } from '@fjord/iceberg';
import type { FileWriter, ParquetBatch } from '../parquet/sink.ts';
import type { ArrowRows } from './arrow-rows.ts';
import { gatherRows, type Selection } from './gather.ts';
import type { PartitionKeys } from './partition-keys.ts';
import { SpillFile, type SpilledPiece } from './spill-file.ts';

/** What all partitioned writers of a process share, so that their number does not multiply what they hold. */
export type PartitionMemory = {
  /** Bytes of rows held before they are divided, and files open at once, over all writers. */
  readonly maxBytes: number;
  readonly maxOpenFiles: number;
  /** How many writers are open now. */
  writers: number;
};

type Parts = {
  readonly keys: PartitionKeys;
  readonly columns: Column[];
  readonly memory: PartitionMemory;
  /** The spec by which the rows are divided. */
  readonly specId: number;
  openFile(partition: Partition): FileWriter;
};

type OpenFile = { readonly writer: FileWriter; lastUsed: number };
type Held = { readonly rows: ArrowRows; readonly numbers: Int32Array };

/**
 * Writes one chunk's rows into files of their partitions. Rows are held up to a bound and then divided at once. Partitions beyond the
 * open files are put aside in a spill file and become files at the end; a file that gets no more rows gives its place to
 * the next partition, so that rows which come in the partitions' order are never spilled.
 */
export class PartitionedWriter implements FileWriter {
  readonly #parts: Parts;
  readonly #open = new Map<number, OpenFile>();
  readonly #spilled = new Map<number, { rows: number; piece: SpilledPiece }[]>();
  readonly #spill = new SpillFile();
  readonly #finished: DataFile[] = [];
  readonly #closed: FileWriter[] = [];
  #held: Held[] = [];
  #heldBytes = 0;
  /** Bytes divided so far: the clock by which a file is idle. */
  #clock = 0;
  #isEnded = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.memory.writers += 1;
  }

  async write({ rows, body }: ParquetBatch): Promise<void> {
    if (rows === 0) return;
    // What reads Arrow is loaded only where rows are divided.
    const { decodeRows } = await import('./decode-rows.ts');
    const bytes = body.reduce((total, piece) => total + piece.length, 0);
    const held = decodeRows(body).map((batch) => ({ rows: batch, numbers: this.#parts.keys.assign(batch) }));
    const only = onlyNumber(held);
    if (only !== undefined && this.#heldBytes === 0) {
      this.#clock += bytes;
      return this.#route(only, { rows, body });
    }
    this.#held.push(...held);
    this.#heldBytes += bytes;
    if (this.#heldBytes >= this.#share(this.#parts.memory.maxBytes)) await this.#divide();
  }

  async close(): Promise<DataFile[]> {
    await this.#divide();
    for (const number of [...this.#open.keys()]) await this.#finish(number);
    for (const [number, pieces] of this.#spilled) {
      this.#openFile(number);
      for (const { rows, piece } of pieces) {
        await this.#open.get(number)?.writer.write({ rows, body: [await this.#spill.read(piece)] });
      }
      await this.#finish(number);
    }
    await this.#end();
    return this.#finished;
  }

  async abort(): Promise<void> {
    const writers = [...[...this.#open.values()].map(({ writer }) => writer), ...this.#closed];
    this.#open.clear();
    this.#held = [];
    await this.#end();
    await Promise.all(writers.map((writer) => writer.abort()));
  }

  /** Divides the held rows by partition and hands each part on. */
  async #divide(): Promise<void> {
    const [held, bytes] = [this.#held, this.#heldBytes];
    this.#held = [];
    this.#heldBytes = 0;
    this.#clock += bytes;
    for (const [number, selections] of selectByNumber(held)) {
      await this.#route(number, gatherRows(this.#parts.columns, selections));
    }
  }

  async #route(number: number, batch: ParquetBatch): Promise<void> {
    const pieces = this.#spilled.get(number);
    if (!pieces && (this.#open.has(number) || (await this.#makeRoom()))) {
      const file = this.#open.get(number) ?? this.#openFile(number);
      file.lastUsed = this.#clock;
      return file.writer.write(batch);
    }
    const piece = await this.#spill.append(batch.body);
    this.#spilled.set(number, [...(pieces ?? []), { rows: batch.rows, piece }]);
  }

  /** Whether one more file may be opened, after the longest idle one was ended if need be. */
  async #makeRoom(): Promise<boolean> {
    if (this.#open.size < this.#share(this.#parts.memory.maxOpenFiles)) return true;
    const [oldest] = [...this.#open].toSorted(([, a], [, b]) => a.lastUsed - b.lastUsed);
    if (!oldest || this.#clock - oldest[1].lastUsed < this.#parts.memory.maxBytes) return false;
    await this.#finish(oldest[0]);
    return true;
  }

  #openFile(number: number): OpenFile {
    const file = { writer: this.#parts.openFile(this.#parts.keys.partition(number)), lastUsed: this.#clock };
    this.#open.set(number, file);
    return file;
  }

  async #finish(number: number): Promise<void> {
    const file = this.#open.get(number);
    if (!file) return;
    const [partition, { specId }] = [this.#parts.keys.partition(number), this.#parts];
    const files = await file.writer.close();
    this.#open.delete(number);
    this.#closed.push(file.writer);
    this.#finished.push(...files.map((written) => ({ ...written, partition, specId })));
  }

  #share(whole: number): number {
    return Math.max(1, Math.floor(whole / this.#parts.memory.writers));
  }

  async #end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#parts.memory.writers -= 1;
    await this.#spill[Symbol.asyncDispose]();
  }
}

/** The one partition of all rows, if there is only one. */
function onlyNumber(held: readonly Held[]): number | undefined {
  const first = held.find(({ numbers }) => numbers.length > 0)?.numbers[0];
  return held.every(({ numbers }) => numbers.every((number) => number === first)) ? first : undefined;
}

/** The rows of each partition, in their order. */
function selectByNumber(held: readonly Held[]): Map<number, Selection[]> {
  const selections = new Map<number, Selection[]>();
  for (const { rows, numbers } of held) {
    for (const [number, indices] of groupRows(numbers)) {
      const own = selections.get(number);
      if (own) own.push({ rows, indices });
      else selections.set(number, [{ rows, indices }]);
    }
  }
  return selections;
}

function groupRows(numbers: Int32Array): Map<number, Int32Array> {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const groups = new Map<number, { indices: Int32Array; count: number }>();
  for (const [number, count] of counts) groups.set(number, { indices: new Int32Array(count), count: 0 });
  for (let row = 0; row < numbers.length; row++) {
    const group = groups.get(numbers[row]!)!;
    group.indices[group.count++] = row;
  }
  return new Map([...groups].map(([number, { indices }]) => [number, indices]));
}
