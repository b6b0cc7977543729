import { type DataFile, PositionSet, readDeletionVector, type ScanFile, type Table } from '@fjord/iceberg';
import { readPositionDeletes } from '../parquet/position-deletes.ts';

/** The positions of deleted rows, by position delete files and deletion vectors; files of the former are read once each. */
export class DeletedPositions {
  readonly #table: Table;
  readonly #read = new Map<string, Promise<Map<string, PositionSet>>>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** The deleted rows of a live file; equality deletes are not looked at. */
  async of({ file, deletes }: ScanFile): Promise<PositionSet> {
    const all = new PositionSet();
    for (const each of deletes) {
      if (each.content === 'equality-deletes') continue;
      if (each.fileFormat === 'PUFFIN') all.addAll(await readDeletionVector(this.#table.io, each));
      else {
        const own = (await this.#positionsIn(each)).get(file.filePath);
        if (own) all.addAll(own);
      }
    }
    return all;
  }

  #positionsIn(deletes: DataFile): Promise<Map<string, PositionSet>> {
    const known = this.#read.get(deletes.filePath) ?? readPositions(this.#table, deletes);
    this.#read.set(deletes.filePath, known);
    return known;
  }
}

async function readPositions(table: Table, deletes: DataFile): Promise<Map<string, PositionSet>> {
  const sets = new Map<string, PositionSet>();
  await readPositionDeletes(table, deletes, (path) => {
    const set = sets.get(path) ?? new PositionSet();
    sets.set(path, set);
    return set;
  });
  return sets;
}
