import type { Column } from '@fjord/core';
import { type DataFile, type NestedField, parseNameMapping, type Table } from '@fjord/iceberg';
import { openParquetSource, type ParquetSource, type SourceRows } from '../parquet/parquet-source.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherRows, type Selection } from '../partition/gather.ts';

/** Opens a table's file to read columns of it. */
export function openFile({ io, metadata }: Table, file: DataFile): Promise<ParquetSource> {
  return openParquetSource({ io, file, nameMapping: parseNameMapping(metadata.properties) });
}

/** Reads the rows at `positions` (ascending) of a file, in their order; `fields` say where in the file the columns are. */
export async function readRowsAt(
  table: Table,
  { file, positions }: { file: DataFile; positions: Int32Array },
  { columns, fields }: { columns: readonly Column[]; fields: readonly NestedField[] },
): Promise<ArrowRows> {
  using source = await openFile(table, file);
  const selections: Selection[] = [];
  for (const [group, { startRow, rows }] of source.rowGroups.entries()) {
    if (countBelow(positions, startRow) === countBelow(positions, startRow + rows)) continue;
    for await (const batch of source.read(optional(fields), group)) {
      const indices = within(positions, batch);
      // Only the rows that are asked for are kept.
      if (indices.length > 0) selections.push(...compact(columns, { rows: batch, indices }));
    }
  }
  const [rows] = decodeRows(gatherRows(columns, selections).body);
  if (rows?.length !== positions.length) throw new Error(`file ${file.filePath} does not have all rows that were found`);
  return rows;
}

/** Columns that a file lacks, which were added to the table later, are null in it. */
function optional(fields: readonly NestedField[]): NestedField[] {
  return fields.map((field) => ({ ...field, required: false }));
}

function compact(columns: readonly Column[], selection: Selection): Selection[] {
  return decodeRows(gatherRows(columns, [selection]).body).map((rows) => ({ rows, indices: everyRow(rows) }));
}

function everyRow({ length }: ArrowRows): Int32Array {
  return Int32Array.from({ length }, (_, row) => row);
}

function within(positions: Int32Array, { startRow, length }: SourceRows): Int32Array {
  const own = positions.subarray(countBelow(positions, startRow), countBelow(positions, startRow + length));
  return own.map((position) => position - startRow);
}

function countBelow(sorted: Int32Array, limit: number): number {
  let [start, end] = [0, sorted.length];
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (sorted[middle]! < limit) start = middle + 1;
    else end = middle;
  }
  return start;
}
