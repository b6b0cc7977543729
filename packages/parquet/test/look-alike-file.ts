import { Field, Int32, List, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { encode } from './encode.ts';

/** A file of three row groups whose values look like the end of a file: uncompressed, so that they stand in it as they are. */
export async function lookAlikeFile(rowCount: number): Promise<Buffer> {
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  const magic = rows.map((row) => `${'\0'.repeat(row % 5)}PAR1`);
  const lists = rows.map((row) => (row % 3 === 0 ? null : [row]));
  const table = new Table({
    magic: vectorFromArray(magic, new Utf8()),
    list: vectorFromArray(lists, new List(new Field('item', new Int32(), true))),
  });
  const rowGroupRows = Math.ceil(rowCount / 2.5);
  const options = { compression: 'none', plainColumns: false, rowGroupRows, bloomFilters: ['magic'] } as const;
  return (await encode([tableToIPC(table, 'stream')], options)).file;
}
