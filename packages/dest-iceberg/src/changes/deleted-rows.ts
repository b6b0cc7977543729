import { type DataFile, fieldsById, PositionSet, readDeletionVector, type ScanFile, type Table } from '@fjord/iceberg';
import { readPositionDeletes } from '../parquet/position-deletes.ts';
import type { KeyIndexes } from './key-indexes.ts';
import { matchKeys } from './sorted-keys.ts';

/** Which rows of data files are deleted, by whomever and however (rule 17). What is deleted from a file stays so: each delete file is read once. */
export class DeletedRows {
  readonly #indexes: KeyIndexes;
  readonly #deleted = new Map<string, PositionSet>();
  readonly #read = new Set<string>();

  constructor(indexes: KeyIndexes) {
    this.#indexes = indexes;
  }

  /** The positions of a live file's deleted rows. */
  async of(table: Table, scanFile: ScanFile): Promise<PositionSet> {
    for (const deletes of scanFile.deletes) await this.#apply(table, scanFile, deletes);
    return this.#setOf(scanFile.file.filePath);
  }

  /** Notes what a commit of this process has deleted. */
  add(dataFile: string, positions: PositionSet): void {
    this.#setOf(dataFile).addAll(positions);
  }

  /** Notes that all a delete file says is known. */
  skip(deletes: readonly DataFile[]): void {
    for (const file of deletes) this.#read.add(nameOf(file));
  }

  async #apply(table: Table, { file }: ScanFile, deletes: DataFile): Promise<void> {
    const isEquality = deletes.content === 'equality-deletes';
    const name = isEquality ? `${deletes.filePath}\n${file.filePath}` : nameOf(deletes);
    if (this.#read.has(name)) return;
    if (isEquality) await this.#applyEquality(table, file, deletes);
    else if (deletes.fileFormat === 'PUFFIN') this.add(file.filePath, await readDeletionVector(table.io, deletes));
    else await readPositionDeletes(table, deletes, (path) => this.#setOf(path));
    this.#read.add(name);
  }

  async #applyEquality(table: Table, file: DataFile, deletes: DataFile): Promise<void> {
    // A column may have been dropped since.
    const known = new Map(table.metadata.schemas.flatMap((schema) => [...fieldsById(schema)]));
    const fields = (deletes.equalityIds ?? []).flatMap((id) => known.get(id) ?? []);
    const key = { fields, exact: false };
    const wanted = await this.#indexes.get(table, deletes, key);
    const index = await this.#indexes.get(table, file, key);
    const set = this.#setOf(file.filePath);
    matchKeys(wanted, index, (_row, position) => set.add(position));
  }

  #setOf(dataFile: string): PositionSet {
    const known = this.#deleted.get(dataFile);
    if (known) return known;
    const set = new PositionSet();
    this.#deleted.set(dataFile, set);
    return set;
  }
}

/** Others keep the deletion vectors of many files in one. */
function nameOf({ filePath, contentOffset }: DataFile): string {
  return contentOffset === undefined ? filePath : `${filePath}\n${contentOffset}`;
}
