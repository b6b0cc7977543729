import { type Column, ConnectorError, formatColumnType, type SelectedStream } from '@fjord/core';
import type { ColumnMapping } from './column-types.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier } from './quoting.ts';
import { outdated } from './relations.ts';
import { loadColumns, type TableColumn, type TypeOptions } from './table-columns.ts';

/** A selected column beside what it is in the table. */
export type StreamColumn = { column: Column; mapping: ColumnMapping; baseType: TableColumn['baseType'] };

/** Finds how a stream's selected columns travel. `source_object_missing` if one is gone, `plan_outdated` if one has changed since it was discovered. */
export async function loadStreamColumns(
  connection: Connection,
  stream: SelectedStream,
  { table, types }: { table: number; types: TypeOptions },
): Promise<StreamColumn[]> {
  const found = (await loadColumns(connection, [table], types)).get(table) ?? [];
  const byName = new Map(found.map((column) => [column.name, column]));
  return stream.columns.map((column) => matchColumn(column, byName.get(column.name), stream.stream));
}

function matchColumn(column: Column, found: TableColumn | undefined, stream: string): StreamColumn {
  if (!found) {
    throw new ConnectorError('source_object_missing', `Table ${stream} has no column "${column.name}".`, { stream });
  }
  const isSameType = formatColumnType(found.mapping.type) === formatColumnType(column.type);
  if (!isSameType || (!column.nullable && !found.isRequired)) throw outdated(stream);
  return { column, mapping: found.mapping, baseType: found.baseType };
}

/**
 * Asks the server what it would send for the columns now; `plan_outdated` if a type differs from the known. Needed because a column's
 * row in the catalog is read in the transaction's snapshot, but its values come in the newest type.
 */
export async function checkStreamColumns(
  connection: Connection,
  columns: StreamColumn[],
  { from, stream }: { from: string; stream: string },
): Promise<void> {
  const names = columns.map(({ column }) => quoteIdentifier(column.name)).join(', ');
  const sent = await connection.describe(`SELECT ${names} FROM ${from} LIMIT 0`, stream);
  const isSame = columns.every(
    ({ baseType }, index) =>
      sent[index]?.dataTypeID === baseType.oid && sent[index].dataTypeModifier === baseType.modifier,
  );
  if (!isSame) throw outdated(stream);
}
