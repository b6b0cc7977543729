import { randomUUID } from 'node:crypto';
import type { Table } from '../catalog.ts';
import type { DataFile } from '../data-file.ts';
import { partitionKey } from '../delete-index.ts';
import { dataFolder } from '../location.ts';
import { mapAhead } from '../map-ahead.ts';
import type { ScanFile } from '../scan.ts';
import { readDeletionVector, writeDeletionVector } from './deletion-vector.ts';
import { PositionSet } from './position-set.ts';
import { type DeletedRows, writePositionDeleteFile } from './position-delete-file.ts';

/** Rows to be deleted from a live file, as a scan of the table that is committed to has given it. */
export type RowDeletes = {
  scanFile: ScanFile;
  /** Rows that are to go now. */
  positions: PositionSet;
  /** Rows that position delete files of older snapshots have removed: a deletion vector takes the place of those, too. */
  earlier?: PositionSet | undefined;
};

/** What a snapshot adds and removes to delete rows: `append` and `remove` of `stageSnapshot`. */
export type WrittenDeletes = { append: DataFile[]; remove: ReadonlySet<string> };

/** Files written at once. */
const WRITES_AHEAD = 8;

/**
 * Writes what deletes rows: position delete files, one a partition, or from format version 3 on deletion vectors, one a data file, which
 * take the place of the file's older vector and position deletes. Names in `remove` are of delete files that are about nothing else.
 */
export async function writeRowDeletes(table: Table, deletes: readonly RowDeletes[]): Promise<WrittenDeletes> {
  const rows = deletes.filter(({ positions }) => positions.size > 0);
  if (table.metadata['format-version'] >= 3) return writeVectors(table, rows);
  const partitions = Map.groupBy(rows, ({ scanFile }) => partitionKey(scanFile.specId, scanFile.file.partition));
  const groups = Array.from(partitions.values(), (group) =>
    group.map(({ scanFile, positions }): DeletedRows => ({ data: withSpec(scanFile), positions })),
  );
  const append: DataFile[] = [];
  const write = (group: readonly DeletedRows[]) =>
    writePositionDeleteFile(table.io, newLocation(table, 'parquet'), group);
  for await (const file of mapAhead(groups, WRITES_AHEAD, write)) append.push(file);
  return { append, remove: new Set() };
}

async function writeVectors(table: Table, deletes: readonly RowDeletes[]): Promise<WrittenDeletes> {
  const written: WrittenDeletes = { append: [], remove: new Set() };
  const remove = new Set<string>();
  const write = async ({ scanFile, positions, earlier }: RowDeletes) => {
    const all = new PositionSet();
    all.addAll(positions);
    if (earlier) all.addAll(earlier);
    for (const file of scanFile.deletes) {
      if (file.fileFormat === 'PUFFIN') all.addAll(await readDeletionVector(table.io, file));
      if (file.referencedDataFile === scanFile.file.filePath) remove.add(file.filePath);
    }
    return writeDeletionVector(table.io, newLocation(table, 'puffin'), { data: withSpec(scanFile), positions: all });
  };
  for await (const file of mapAhead(deletes, WRITES_AHEAD, write)) written.append.push(file);
  return { ...written, remove };
}

function withSpec({ file, specId }: ScanFile): DataFile {
  return { ...file, specId };
}

function newLocation(table: Table, extension: 'parquet' | 'puffin'): string {
  return `${dataFolder(table.metadata)}/${randomUUID()}-deletes.${extension}`;
}
