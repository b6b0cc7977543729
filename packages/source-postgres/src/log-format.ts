import type { SelectedStream } from '@fjord/core';
import type { ColumnMapping } from './column-types.ts';
import type { Connection } from './connection.ts';
import { loadColumns, type TypeOptions } from './table-columns.ts';

/** The format in which the log has the values of all streams. */
export type LogFormat = 'binary' | 'text';

/** The first version that can send binary values. */
const BINARY_VERSION = 140_000;

const TABLES = `
  SELECT c.oid, w.stream
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))
    AS w (stream, namespace, name)
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.namespace
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name`;

type FormatQuestion = { streams: readonly SelectedStream[]; version: number; types: TypeOptions };

/** Whether only the server can print a column's values. */
export function isServerPrinted({ select, printedHere }: ColumnMapping): boolean {
  return select !== undefined && printedHere === undefined;
}

/** Binary where the server has it and each selected column is read from its binary form; a value that is to be text must be printed by the server. */
export async function chooseFormat(
  connection: Connection,
  { streams, version, types }: FormatQuestion,
): Promise<LogFormat> {
  if (version < BINARY_VERSION) return 'text';
  // Without a choice of the user's all columns come, also those that are added later.
  const chosen = new Map(
    streams.map(({ stream, columns, shape }) => [stream, shape && new Set(columns.map(({ name }) => name))]),
  );
  const tables = await connection.query<{ oid: number; stream: string }>(TABLES, [
    streams.map(({ stream }) => stream),
    streams.map(({ namespace = 'public' }) => namespace),
    streams.map(({ name }) => name),
  ]);
  const columns = await loadColumns(
    connection,
    tables.map(({ oid }) => oid),
    types,
  );
  const isPrinted = tables.some(({ oid, stream }) =>
    columns.get(oid)?.some(({ name, mapping }) => isServerPrinted(mapping) && (chosen.get(stream)?.has(name) ?? true)),
  );
  return isPrinted ? 'text' : 'binary';
}
