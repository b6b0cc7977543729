import type { Column } from '@fjord/core';
import type { DataFile, NestedField, Table } from '@fjord/iceberg';
import { openParquetSource } from '../parquet/parquet-source.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherRows, type Selection } from '../partition/gather.ts';

/** Rows of a file: where in it they begin, and their columns in the order of the fields asked for. */
type PlacedRows = { startRow: number; rows: ArrowRows };

/** Reads columns of a table's file in batches: of all its row groups, or of those that hold any of the positions (ascending). */
export async function* readColumns(
  table: Table,
  file: DataFile,
  { fields, positions }: { fields: readonly NestedField[]; positions?: Int32Array },
): AsyncGenerator<PlacedRows> {
  await using source = await openParquetSource(table, file);
  for (const [group, { startRow, rows }] of source.rowGroups.entries()) {
    if (positions && countBelow(positions, startRow) === countBelow(positions, startRow + rows)) continue;
    for await (const batch of source.read(optional(fields), group)) {
      yield { startRow: batch.startRow, rows: batch.columns };
    }
  }
}

/** Reads the rows at `positions` (ascending) of a file, in their order; `fields` say where in the file the columns are. */
export async function readRowsAt(
  table: Table,
  { file, positions }: { file: DataFile; positions: Int32Array },
  { columns, fields }: { columns: readonly Column[]; fields: readonly NestedField[] },
): Promise<ArrowRows> {
  const selections: Selection[] = [];
  for await (const batch of readColumns(table, file, { fields, positions })) {
    const indices = within(positions, batch);
    // Only the rows that are asked for are kept.
    if (indices.length > 0) selections.push(...compact(columns, { rows: batch.rows, indices }));
  }
  const [rows] = decodeRows(gatherRows(columns, selections).body);
  if (rows?.length !== positions.length)
    throw new Error(`file ${file.filePath} does not have all rows that were found`);
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

function within(positions: Int32Array, { startRow, rows }: PlacedRows): Int32Array {
  const own = positions.subarray(countBelow(positions, startRow), countBelow(positions, startRow + rows.length));
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
