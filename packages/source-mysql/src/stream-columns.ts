import { type Column, ConnectorError, formatColumnType, type SelectedStream } from '@fjord/core';
import { type ColumnMapping, unknownType } from './column-types.ts';
import type { TypeOptions } from './config.ts';
import type { Connection } from './connection.ts';
import type { RowColumn } from './rows/row-column.ts';
import { loadColumns, type TableColumn, tableCondition } from './table-columns.ts';

/** A selected column beside what it is in the table. */
export type StreamColumn = { column: Column; mapping: ColumnMapping; typeName: string };

/** Finds how a stream's selected columns travel. `source_object_missing` if one is gone, `plan_outdated` if one has changed since it was discovered. */
export async function loadStreamColumns(
  connection: Connection,
  stream: SelectedStream,
  types: TypeOptions,
): Promise<StreamColumn[]> {
  const loaded = await loadColumns(connection, tableCondition(stream), types);
  const found = loaded.get(stream.stream) ?? [];
  const byName = new Map(found.map((column) => [column.column, column]));
  return stream.columns.map((column) => matchColumn(column, byName.get(column.name), stream.stream));
}

function matchColumn(column: Column, found: TableColumn | undefined, stream: string): StreamColumn {
  if (!found) {
    throw new ConnectorError('source_object_missing', `Table ${stream} has no column "${column.name}".`, { stream });
  }
  const { mapping, isRequired } = found;
  if (!mapping) throw unknownType(column.name, found, stream);
  const isSameType = formatColumnType(mapping.type) === formatColumnType(column.type);
  if (!isSameType || (!column.nullable && !isRequired)) throw outdated(stream);
  return { column, mapping, typeName: found.name };
}

/** How rows hold the columns of a stream. */
export function rowColumns(columns: StreamColumn[], { primaryKey }: SelectedStream): RowColumn[] {
  return columns.map(({ column: { name, type, nullable }, mapping: { wire } }) => {
    return { name, type, nullable, wire, isKey: primaryKey.includes(name) };
  });
}

/** The table is not the one that was planned. */
export function outdated(stream: string): ConnectorError {
  return new ConnectorError('plan_outdated', `Table ${stream} was altered since it was planned.`, { stream });
}
