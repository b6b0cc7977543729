import { type PositionSet, planFiles, type ScanFile, type Table } from '@fjord/iceberg';
import type { DeletedRows } from './deleted-rows.ts';
import type { KeyFields, KeyIndexes } from './key-indexes.ts';
import type { KeyRange } from './key-range.ts';
import { matchKeys, type SortedKeys } from './sorted-keys.ts';

/** Keys that are looked for, and what bounds of files can say of them. */
export type WantedKeys = { keys: SortedKeys; range: KeyRange | undefined; keyFields: KeyFields };

/** Live rows of one file whose keys are looked for: `keys[i]` (the key's number) is at `positions[i]`. `dead` are the file's deleted rows. */
export type FoundRows = { scanFile: ScanFile; keys: number[]; positions: number[]; dead: PositionSet };

/** Finds rows by key in a table as it is now. */
export class RowFinder {
  readonly #indexes: KeyIndexes;
  readonly #deleted: DeletedRows;
  #plan: { table: Table; columns: number; files: Promise<ScanFile[]> } | undefined;
  /** The columns whose bounds have been asked for: of other metrics a table of many files has too much to be held. */
  readonly #columns = new Set<number>();

  constructor({ indexes, deleted }: { indexes: KeyIndexes; deleted: DeletedRows }) {
    this.#indexes = indexes;
    this.#deleted = deleted;
  }

  /** The live files of a table with the bounds of the key's columns, planned once for each of its states. */
  plan(table: Table, key?: KeyFields): Promise<ScanFile[]> {
    for (const { id } of key?.fields ?? []) this.#columns.add(id);
    const { size: columns } = this.#columns;
    if (this.#plan?.table.metadataLocation !== table.metadataLocation || this.#plan.columns !== columns) {
      this.#plan = { table, columns, files: Array.fromAsync(planFiles(table, { metricsOf: new Set(this.#columns) })) };
    }
    return this.#plan.files;
  }

  /** The live rows with the wanted keys, file by file. */
  async *find(table: Table, wanted: WantedKeys, files?: readonly ScanFile[]): AsyncGenerator<FoundRows> {
    if (wanted.keys.values.length === 0) return;
    for (const scanFile of files ?? (await this.plan(table, wanted.keyFields))) {
      if (wanted.range && !wanted.range.mayBeIn(scanFile.file)) continue;
      const index = await this.#indexes.get(table, scanFile.file, wanted.keyFields);
      const found = match(wanted.keys, index);
      if (found.keys.length === 0) continue;
      const dead = await this.#deleted.of(table, scanFile);
      const live = found.keys
        .keys()
        .filter((at) => !dead.has(found.positions[at]!))
        .toArray();
      if (live.length === 0) continue;
      const keys = live.map((at) => found.keys[at]!);
      yield { scanFile, keys, positions: live.map((at) => found.positions[at]!), dead };
    }
  }
}

function match(wanted: SortedKeys, index: SortedKeys): { keys: number[]; positions: number[] } {
  const found: { keys: number[]; positions: number[] } = { keys: [], positions: [] };
  matchKeys(wanted, index, (key, position) => {
    found.keys.push(key);
    found.positions.push(position);
  });
  return found;
}
