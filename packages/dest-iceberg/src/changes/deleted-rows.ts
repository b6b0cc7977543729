import {
  type DataFile,
  FILE_PATH_ID,
  fieldsById,
  type NestedField,
  POSITION_ID,
  PositionSet,
  readDeletionVector,
  type ScanFile,
  type Table,
} from '@fjord/iceberg';
import { valueBytes } from '../partition/arrow-rows.ts';
import type { KeyIndexes } from './key-indexes.ts';
import { readColumns } from './live-rows.ts';
import { matchKeys } from './sorted-keys.ts';

const PATH_FIELD: NestedField = { id: FILE_PATH_ID, name: 'file_path', required: true, type: 'string' };
const POSITION_FIELD: NestedField = { id: POSITION_ID, name: 'pos', required: true, type: 'long' };

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
    else await this.#applyPositions(table, deletes);
    this.#read.add(name);
  }

  async #applyPositions(table: Table, deletes: DataFile): Promise<void> {
    let [path, set] = [Buffer.alloc(0), new PositionSet()];
    for await (const { rows } of readColumns(table, deletes, { fields: [PATH_FIELD, POSITION_FIELD] })) {
      const [paths, positions] = rows.columns;
      if (!paths || !positions) throw new Error(`position delete file ${deletes.filePath} lacks a column`);
      const [text, offsets] = [valueBytes(paths), paths.valueOffsets as Int32Array];
      for (let row = 0; row < rows.length; row++) {
        const own = text.subarray(offsets[row], offsets[row + 1]);
        if (!path.equals(own)) {
          path = Buffer.from(own);
          set = this.#setOf(path.toString('utf8'));
        }
        set.add(Number((positions.values as BigInt64Array)[row]));
      }
    }
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
