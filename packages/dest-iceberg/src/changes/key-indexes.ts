import type { DataFile, NestedField, Table } from '@fjord/iceberg';
import { SpillFile, type SpilledPiece } from '../partition/spill-file.ts';
import { indexBytes, KeyIndexBuilder, packIndex, unpackIndex } from './key-index.ts';
import { KeyReader } from './key-reader.ts';
import { readColumns } from './live-rows.ts';
import type { SortedKeys } from './sorted-keys.ts';

/** The columns by which rows are found. `exact` as in `KeyReader`. */
export type KeyFields = { readonly fields: readonly NestedField[]; readonly exact: boolean };

type Limits = { memoryBytes: number; diskBytes: number };

/**
 * The keys of data files with their positions: derived from the files, which never change, so that nothing here can be stale. The ones used
 * last are held in memory; more lie in a file without a name that only this process can read; what is in neither is read from its data file.
 */
export class KeyIndexes implements AsyncDisposable {
  readonly #limits: Limits;
  /** In the order of use, the longest unused first. */
  readonly #held = new Map<string, SortedKeys>();
  readonly #pieces = new Map<string, SpilledPiece>();
  readonly #spill = new SpillFile();
  #heldBytes = 0;
  #spilledBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Bytes that indexes take in memory now. */
  get memoryBytes(): number {
    return this.#heldBytes;
  }

  /** The index of a file, from wherever it is. */
  async get(table: Table, file: DataFile, key: KeyFields): Promise<SortedKeys> {
    const name = nameOf(file, key);
    const held = this.#held.get(name);
    if (held) {
      this.#held.delete(name);
      this.#held.set(name, held);
      return held;
    }
    const piece = this.#pieces.get(name);
    const index = piece ? unpackIndex(await this.#spill.read(piece)) : await readIndex(table, file, key);
    await this.#hold(name, index);
    return index;
  }

  /** Takes the index of a file that was just written. */
  put(file: DataFile, key: KeyFields, index: SortedKeys): Promise<void> {
    return this.#hold(nameOf(file, key), index);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#spill[Symbol.asyncDispose]();
  }

  async #hold(name: string, index: SortedKeys): Promise<void> {
    if (this.#held.has(name)) return;
    this.#held.set(name, index);
    this.#heldBytes += indexBytes(index);
    for (const [oldest, own] of this.#held) {
      if (this.#heldBytes <= this.#limits.memoryBytes || oldest === name) break;
      this.#held.delete(oldest);
      this.#heldBytes -= indexBytes(own);
      await this.#putAside(oldest, own);
    }
  }

  async #putAside(name: string, index: SortedKeys): Promise<void> {
    const pieces = packIndex(index);
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#pieces.has(name) || this.#spilledBytes + bytes > this.#limits.diskBytes) return;
    this.#spilledBytes += bytes;
    this.#pieces.set(name, await this.#spill.append(pieces));
  }
}

async function readIndex(table: Table, file: DataFile, { fields, exact }: KeyFields): Promise<SortedKeys> {
  const builder = new KeyIndexBuilder(Number(file.recordCount));
  const columns = [...fields.keys()];
  for await (const { rows } of readColumns(table, file, { fields })) {
    builder.addRows(rows, new KeyReader(rows, columns, { exact }));
  }
  return builder.finish();
}

function nameOf(file: DataFile, { fields, exact }: KeyFields): string {
  return [file.filePath, exact, ...fields.map(({ id }) => id)].join('\n');
}
