import { ConnectorError } from '@fjord/core';
import {
  type DataFile,
  PositionSet,
  type Removal,
  type RowDeletes,
  type ScanFile,
  type Table,
  writeRowDeletes,
} from '@fjord/iceberg';
import type { ParquetPool } from '../parquet/sink.ts';
import type { ChangeRows } from './change-rows.ts';
import { rewriteWithout } from './copy-on-write.ts';
import type { DeletedRows } from './deleted-rows.ts';
import { canDeleteByKey, writeKeyDeletes } from './equality-deletes.ts';
import { fillGaps, type Place } from './fill-gaps.ts';
import { type DeleteMode, type Folded, foldRun } from './fold.ts';
import { KeyIndexBuilder } from './key-index.ts';
import type { KeyFields, KeyIndexes } from './key-indexes.ts';
import { wantedKeys } from './key-ranges.ts';
import type { RowFinder, WantedKeys } from './row-finder.ts';
import type { RunLayout } from './run-layout.ts';
import { RunRows } from './run-rows.ts';
import { type OpenedFile, type Output, type RunFile, sortOutput, writeRun } from './run-writer.ts';
import { deletesOfAll, truncateMark } from './truncated-rows.ts';
import { findGaps } from './unset.ts';

/** So many rows of a truncated table are marked as deleted at once. */
const MARKED_ROWS = 250_000;

export type DraftParts = {
  stream: string;
  /** The table as it was when the draft was begun. */
  table: Table;
  finder: RowFinder;
  indexes: KeyIndexes;
  deleted: DeletedRows;
  deletes: DeleteMode;
  /** Every change stays as a row of its own. */
  isHistory: boolean;
  handover: Uint8Array | undefined;
  /** What deletes rows of earlier commits; none: data files are written anew without them, by the pool. */
  deleteFiles: 'position' | 'equality' | 'copy-on-write';
  pool: ParquetPool;
  /** Opens files for changes of a layout, or for their keys: those are not divided by partition. */
  openFile(layout: RunLayout, content: 'rows' | 'keys'): OpenedFile;
  /** Whether a file may hold changes, and not only copied rows. */
  mayHoldChanges(file: DataFile): boolean;
};

/** What a commit adds to its table and takes out of it; `written` is of no use if the commit fails. */
export type StagedDraft = { append: DataFile[]; remove: Removal | undefined; written: string[] };

type DraftFile = { scanFile: ScanFile; positions: PositionSet };
type Obsolete = { wanted: WantedKeys; limits: Int32Array | undefined };

/** One commit in the making: files of chunks and of runs of changes in their order, and the rows in the table that these replace. */
export class CommitDraft {
  readonly #parts: DraftParts;
  readonly #files = new Map<string, DraftFile>();
  readonly #obsolete: Obsolete[] = [];
  readonly #keyDeletes: DataFile[] = [];
  readonly #copied: { file: DataFile; keyFields: KeyFields }[] = [];
  readonly #loadedAt = BigInt(Date.now()) * 1000n;
  /** Files of the draft that were written anew before they were committed. */
  #vain: string[] = [];
  #staged: { deletes: readonly RowDeletes[]; files: readonly DataFile[] } = { deletes: [], files: [] };
  #isTruncated = false;

  constructor(parts: DraftParts) {
    this.#parts = parts;
  }

  /** Takes the files of a finished chunk: its rows replace those that changes have written before it was read (rule 6). */
  async addChunk(files: readonly DataFile[], keyFields: KeyFields | undefined): Promise<void> {
    for (const file of files) {
      if (keyFields) {
        await this.#replaceInDraft(file, keyFields);
        this.#copied.push({ file, keyFields });
      }
      this.#add(file);
    }
  }

  /** Every row so far goes, or is marked as deleted; a history says that it went. */
  async truncate(layout: RunLayout, position: string): Promise<void> {
    if (this.#parts.isHistory) return this.addRun([truncateMark(layout, position)], layout);
    if (this.#parts.deletes === 'soft') return this.#markAll(layout, position);
    const { table } = this.#parts;
    const dropped = this.#locations;
    this.#files.clear();
    this.#keyDeletes.length = 0;
    this.#obsolete.length = 0;
    this.#copied.length = 0;
    this.#isTruncated = true;
    await Promise.allSettled(dropped.map((location) => table.io.delete(location)));
  }

  /** Folds a run of changes, writes what remains of it, and notes what it replaces. */
  async addRun(batches: readonly ChangeRows[], layout: RunLayout): Promise<void> {
    const rows = new RunRows(batches);
    if (this.#parts.isHistory) {
      const winners = Int32Array.from({ length: rows.length }, (_, row) => row);
      return this.#write({ rows, layout, winners, patches: [], fetched: [], loadedAt: this.#loadedAt }, undefined);
    }
    const { deletes, handover } = this.#parts;
    const folded = foldRun(rows, { key: layout.key, isKeyless: layout.isKeyless, deletes, handover });
    const filled = await this.#fill(folded, layout);
    const obsolete = { wanted: wantedKeys(folded, layout, folded.obsolete), limits: folded.limits };
    await this.#removeFromDraft(obsolete);
    if (!this.#isTruncated) await this.#note(obsolete, { folded, layout });
    const isMarked = layout.isKeyless && deletes === 'soft';
    await this.#write({ rows, layout, ...filled, loadedAt: this.#loadedAt }, isMarked ? undefined : folded);
  }

  /** Finds the replaced rows in the table as it is now, and writes what deletes them. Done anew after each conflict (rule 17). */
  async stage(table: Table): Promise<StagedDraft> {
    const found = new Map<string, RowDeletes>();
    if (!this.#isTruncated) {
      for (const obsolete of this.#obsolete) await this.#findObsolete(table, obsolete, found);
      await this.#findReplaced(table, found);
    }
    const own = [...this.#files.values()].filter(({ positions }) => positions.size > 0);
    const deletes = [...found.values(), ...own];
    if (this.#parts.deleteFiles === 'copy-on-write') return this.#stageRewritten(table, deletes);
    const { append, remove } = await writeRowDeletes(table, deletes);
    this.#staged = { deletes, files: append };
    const data = [...this.#files.values()].map(({ scanFile }) => scanFile.file);
    const removal = this.#isTruncated ? 'all' : remove.size > 0 ? { deletes: remove } : undefined;
    return {
      append: [...data, ...this.#keyDeletes, ...append],
      remove: removal,
      written: append.map(({ filePath }) => filePath),
    };
  }

  /** Notes what was committed, so that none of it needs to be read, and deletes what was written in vain. */
  async settle(): Promise<void> {
    const { deletes, files } = this.#staged;
    const { table } = this.#parts;
    for (const { scanFile, positions } of deletes) this.#parts.deleted.add(scanFile.file.filePath, positions);
    this.#parts.deleted.skip(files);
    await Promise.allSettled(this.#vain.map((location) => table.io.delete(location)));
  }

  /** Deletes the files of a draft that no commit was tried with. */
  async discard(): Promise<void> {
    const { table } = this.#parts;
    await Promise.allSettled(this.#locations.map((location) => table.io.delete(location)));
  }

  async #stageRewritten(table: Table, deletes: readonly RowDeletes[]): Promise<StagedDraft> {
    const { pool, finder } = this.#parts;
    const live = this.#isTruncated ? [] : await finder.plan(table);
    const { append, gone } = await rewriteWithout(table, deletes, { pool, live });
    const data = [...this.#files.values()].map(({ scanFile }) => scanFile.file);
    this.#vain = [...this.#files.keys()].filter((location) => gone.has(location));
    return {
      append: [...data.filter(({ filePath }) => !gone.has(filePath)), ...append],
      remove: this.#isTruncated ? 'all' : gone.size > 0 ? ({ filePath }) => gone.has(filePath) : undefined,
      written: append.map(({ filePath }) => filePath),
    };
  }

  get #locations(): string[] {
    return [...this.#files.keys(), ...this.#keyDeletes.map(({ filePath }) => filePath)];
  }

  #add(file: DataFile): void {
    const specId = file.specId ?? this.#parts.table.metadata['default-spec-id'];
    const scanFile = { file, specId, deletes: [], sequenceNumber: 0n };
    this.#files.set(file.filePath, { scanFile, positions: new PositionSet() });
  }

  get #scanFiles(): ScanFile[] {
    return [...this.#files.values()].map(({ scanFile }) => scanFile);
  }

  async #markAll(layout: RunLayout, position: string): Promise<void> {
    const { table, finder, deleted } = this.#parts;
    const files = [...(await finder.plan(table)), ...this.#scanFiles];
    let [batches, rows]: [ChangeRows[], number] = [[], 0];
    for await (const batch of deletesOfAll({ table, deleted, layout }, files, position)) {
      batches.push(batch);
      rows += batch.length;
      if (rows < MARKED_ROWS) continue;
      await this.addRun(batches, layout);
      [batches, rows] = [[], 0];
    }
    if (rows > 0) await this.addRun(batches, layout);
  }

  /** What a run replaces in the table is looked for when the commit is staged, or said by key. */
  async #note(obsolete: Obsolete, run: { folded: Folded; layout: RunLayout }): Promise<void> {
    const { table, deleteFiles, openFile } = this.#parts;
    if (deleteFiles !== 'equality' || !canDeleteByKey(run.layout)) this.#obsolete.push(obsolete);
    else this.#keyDeletes.push(...(await writeKeyDeletes(table, run, (layout) => openFile(layout, 'keys'))));
  }

  async #write(output: Output, folded: Folded | undefined): Promise<void> {
    if (output.winners.length === 0) return;
    const opened = this.#parts.openFile(output.layout, 'rows');
    const sorted = await sortOutput(output, opened.sort);
    for (const { file, winners } of await writeRun(sorted, opened)) {
      this.#add(file);
      if (folded) await this.#index({ file, winners }, { folded, output: sorted });
    }
  }

  /** The keys of a file that was just written are at hand. */
  async #index({ file, winners }: RunFile, { folded, output }: { folded: Folded; output: Output }): Promise<void> {
    const builder = new KeyIndexBuilder(winners.length);
    for (const winner of winners) builder.add(folded.keys.key(folded.keyOf[output.winners[winner]!]!));
    await this.#parts.indexes.put(file, output.layout.keyFields, builder.finish());
  }

  async #fill(folded: Folded, layout: RunLayout) {
    const { table, deletes, stream } = this.#parts;
    const gaps = findGaps(folded, layout, deletes);
    const keys = new Set(gaps.flatMap(({ origin }) => (origin.type === 'live' ? origin.key : [])));
    const wanted = wantedKeys(folded, layout, folded.keys.sorted(Uint32Array.from(keys)));
    const places = await this.#locate(wanted);
    return fillGaps({ folded, layout, table, gaps, places, missing: (column) => missingRow(stream, column) });
  }

  /** Where the live rows of some keys are: in the draft, else in the table. */
  async #locate(wanted: WantedKeys): Promise<Map<number, Place>> {
    const { finder, table } = this.#parts;
    const places = new Map<number, Place>();
    const groups = this.#isTruncated
      ? [this.#scanFiles]
      : [await finder.plan(table, wanted.keyFields), this.#scanFiles];
    for (const files of groups) {
      for await (const { scanFile, keys, positions } of finder.find(table, wanted, files)) {
        for (const [at, key] of keys.entries()) places.set(key, { file: scanFile.file, position: positions[at]! });
      }
    }
    return places;
  }

  async #removeFromDraft({ wanted, limits }: Obsolete): Promise<void> {
    const { finder, table, deleted } = this.#parts;
    for await (const { scanFile, keys, positions } of finder.find(table, wanted, this.#scanFiles)) {
      const taken = PositionSet.of(positions.filter((_, at) => isWithin(limits, keys[at]!)));
      this.#files.get(scanFile.file.filePath)?.positions.addAll(taken);
      deleted.add(scanFile.file.filePath, taken);
    }
  }

  async #findObsolete(table: Table, { wanted, limits }: Obsolete, found: Map<string, RowDeletes>): Promise<void> {
    const left = limits?.slice();
    for await (const { scanFile, keys, positions, dead } of this.#parts.finder.find(table, wanted)) {
      const { positions: taken } = deletesOf(found, scanFile, dead);
      for (const [at, key] of keys.entries()) {
        // Another run may have taken the row already.
        if (!taken.has(positions[at]!) && isWithin(left, key)) taken.add(positions[at]!);
      }
    }
  }

  async #replaceInDraft(file: DataFile, keyFields: KeyFields): Promise<void> {
    const { indexes, table, finder, deleted, mayHoldChanges } = this.#parts;
    const changed = this.#scanFiles.filter((scanFile) => mayHoldChanges(scanFile.file));
    if (changed.length === 0) return;
    const wanted = { keys: await indexes.get(table, file, keyFields), range: undefined, keyFields };
    for await (const { scanFile, positions } of finder.find(table, wanted, changed)) {
      const taken = PositionSet.of(positions);
      this.#files.get(scanFile.file.filePath)?.positions.addAll(taken);
      deleted.add(scanFile.file.filePath, taken);
    }
  }

  async #findReplaced(table: Table, found: Map<string, RowDeletes>): Promise<void> {
    const { indexes, finder, mayHoldChanges } = this.#parts;
    if (this.#copied.length === 0) return;
    const changed = (await finder.plan(table)).filter(({ file }) => mayHoldChanges(file));
    if (changed.length === 0) return;
    for (const { file, keyFields } of this.#copied) {
      const wanted = { keys: await indexes.get(table, file, keyFields), range: undefined, keyFields };
      for await (const { scanFile, positions, dead } of finder.find(table, wanted, changed)) {
        deletesOf(found, scanFile, dead).positions.addAll(PositionSet.of(positions));
      }
    }
  }
}

function deletesOf(found: Map<string, RowDeletes>, scanFile: ScanFile, dead: PositionSet): RowDeletes {
  const known = found.get(scanFile.file.filePath);
  if (known) return known;
  const deletes = { scanFile, positions: new PositionSet(), earlier: dead };
  found.set(scanFile.file.filePath, deletes);
  return deletes;
}

/** Counts down what may still be taken of a key; without limits all may. */
function isWithin(limits: Int32Array | undefined, key: number): boolean {
  if (!limits) return true;
  if (limits[key]! <= 0) return false;
  limits[key]! -= 1;
  return true;
}

function missingRow(stream: string, column: string): ConnectorError {
  return new ConnectorError(
    'row_missing',
    `A change of stream ${stream} does not carry column "${column}", and the row that holds its value is not in the table.`,
    { stream },
  );
}
