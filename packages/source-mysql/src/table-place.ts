import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { Connection, Row } from './connection.ts';
import { tableCondition } from './table-columns.ts';

/** What holds a stream's rows: a table, with when it was made (again) and how large it is, or a view. */
export type TablePlace = { isView: boolean; engine: string; createdAt: string; bytes: number };

const PLACE = `
  SELECT TABLE_TYPE AS kind, ENGINE AS engine, CAST(CREATE_TIME AS CHAR) AS createdAt, DATA_LENGTH AS bytes FROM information_schema.TABLES`;

/** Finds a stream's table; `source_object_missing` if it is gone. */
export async function findTable(connection: Connection, stream: SelectedStream): Promise<TablePlace> {
  const [row] = await connection.query<Row>(`${PLACE} WHERE ${tableCondition(stream)}`, stream.stream);
  if (!row) {
    const message = `There is no table ${stream.stream}.`;
    throw new ConnectorError('source_object_missing', message, { stream: stream.stream });
  }
  return {
    isView: row['kind'] === 'VIEW',
    engine: String(row['engine'] ?? ''),
    createdAt: String(row['createdAt'] ?? ''),
    bytes: Number(row['bytes'] ?? 0),
  };
}

/** Names what a plan is about: the server, and the table since it was made or rebuilt. */
export function placeIdentity(server: string, { createdAt }: TablePlace): string {
  return `${server} ${createdAt}`;
}
