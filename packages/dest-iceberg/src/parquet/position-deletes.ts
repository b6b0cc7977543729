import { type DataFile, POSITION_DELETE_FIELDS, PositionSet, type Table } from '@fjord/iceberg';
import { valueBytes } from '../partition/arrow-rows.ts';
import { openParquetSource } from './parquet-source.ts';

/** Reads a position delete file into the sets that `setOf` gives for the data files that it is about. */
export async function readPositionDeletes(
  table: Table,
  deletes: DataFile,
  setOf: (dataFile: string) => PositionSet,
): Promise<void> {
  await using source = await openParquetSource(table, deletes);
  let [path, set] = [Buffer.alloc(0), new PositionSet()];
  for await (const { columns: rows } of source.read(POSITION_DELETE_FIELDS)) {
    const [paths, positions] = rows.columns;
    if (!paths || !positions) throw new Error('a position delete file has two columns');
    const [text, offsets] = [valueBytes(paths), paths.valueOffsets as Int32Array];
    const values = positions.values as BigInt64Array;
    for (let row = 0; row < rows.length; row++) {
      const own = text.subarray(offsets[row], offsets[row + 1]);
      // Rows are sorted by path: text is made once for each.
      if (!path.equals(own)) {
        path = Buffer.from(own);
        set = setOf(path.toString('utf8'));
      }
      set.add(Number(values[row]));
    }
  }
}
