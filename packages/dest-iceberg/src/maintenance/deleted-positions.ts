import {
  type DataFile,
  FILE_PATH_ID,
  type NestedField,
  POSITION_ID,
  PositionSet,
  readDeletionVector,
  type ScanFile,
  type Table,
} from '@fjord/iceberg';
import { openParquetSource } from '../parquet/parquet-source.ts';
import { valueBytes } from '../partition/arrow-rows.ts';

const FIELDS: readonly NestedField[] = [
  { id: FILE_PATH_ID, name: 'file_path', required: true, type: 'string' },
  { id: POSITION_ID, name: 'pos', required: true, type: 'long' },
];

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
  await using source = await openParquetSource(table, deletes);
  for await (const { columns } of source.read(FIELDS)) {
    const [paths, positions] = columns.columns;
    if (!paths || !positions) throw new Error('a position delete file has two columns');
    const [text, offsets] = [Buffer.from(valueBytes(paths)), paths.valueOffsets as Int32Array];
    const values = positions.values as BigInt64Array;
    for (let row = 0; row < columns.length; row++) {
      const path = text.toString('utf8', offsets[row], offsets[row + 1]);
      const set = sets.get(path) ?? new PositionSet();
      sets.set(path, set);
      set.add(Number(values[row]));
    }
  }
  return sets;
}
