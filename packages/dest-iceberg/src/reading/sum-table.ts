import {
  type Column,
  type ColumnType,
  ConnectorError,
  parsePrimitive,
  type SelectedStream,
  type SumRequest,
} from '@fjord/core';
import { RowSums } from '@fjord/core/apache-arrow';
import { currentSchema, type NestedField, planFiles, type Table } from '@fjord/iceberg';
import type { Data } from 'apache-arrow';
import { DeletedRows } from '../changes/deleted-rows.ts';
import type { KeyIndexes } from '../changes/key-indexes.ts';
import { readColumns } from '../changes/live-rows.ts';
import { METADATA } from '../changes/metadata-columns.ts';
import { toColumnType } from '../field-columns.ts';

export type SumTableRequest = {
  selected: SelectedStream;
  request: SumRequest;
  indexes: KeyIndexes;
  signal: AbortSignal;
};

/** Sums the live rows of a table in the columns of its stream. Rows that are only marked as deleted are left out. */
export async function sumTable(
  table: Table,
  { selected, request, indexes, signal }: SumTableRequest,
): Promise<Pick<RowSums, 'ranges' | 'listed'>> {
  const found = findColumns(table, selected);
  const columns = selected.columns.map(({ name, ...column }, index) => {
    const field = found[index];
    return { name, ...column, ...(field && { type: toColumnType(field.type) }) };
  });
  const sums = new RowSums({ columns, primaryKey: selected.primaryKey }, request);
  const mark = currentSchema(table.metadata).fields.find(({ name }) => name === METADATA.deletedAt.name);
  const isSoft = selected.changes?.deletes === 'soft' && mark !== undefined;
  const fields = [...found.filter((field) => field !== undefined), ...(isSoft ? [mark] : [])];
  const deleted = new DeletedRows(indexes);
  for await (const scanned of planFiles(table)) {
    const dead = await deleted.of(table, scanned);
    for await (const { startRow, rows } of readColumns(table, scanned.file, { fields })) {
      signal.throwIfAborted();
      const marks = isSoft ? rows.columns.at(-1) : undefined;
      const isLive = (row: number) => !dead.has(startRow + row) && !(marks && marks.getValid(row));
      sums.add({ length: rows.length, columns: inPlace(found, rows.columns) }, isLive);
    }
  }
  return sums;
}

/** The table's columns of a stream's, undefined for those that it has not got yet. `unsupported` if one has values of another kind. */
function findColumns(table: Table, { stream, columns }: SelectedStream): (NestedField | undefined)[] {
  const { fields } = currentSchema(table.metadata);
  return columns.map((column) => {
    const field = fields.find(({ name }) => name === column.name);
    if (field && kindOf(toColumnType(field.type)) !== kindOf(column.type)) throw otherKind(stream, column);
    return field;
  });
}

/** The columns that were read, each at its place in the stream. */
function inPlace(found: readonly (NestedField | undefined)[], read: readonly Data[]): (Data | undefined)[] {
  let next = 0;
  return found.map((field) => (field ? read[next++] : undefined));
}

/** Types whose values have the same text: a widened column is compared as before. */
function kindOf(type: ColumnType): string {
  if (typeof type !== 'string') return type.type;
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'decimal') return `decimal of scale ${primitive.scale}`;
  return WIDENED[primitive.kind] ?? primitive.kind;
}

/** What columns of a type may be widened to. */
const WIDENED: Partial<Record<string, string>> = { int: 'long', float: 'double' };

function otherKind(stream: string, { name }: Column): ConnectorError {
  return new ConnectorError(
    'unsupported',
    `Column ${name} of ${stream} has another type in its table: they cannot be compared.`,
    {
      stream,
      help: 'Copy the stream anew, or leave the column out.',
    },
  );
}
