import type { Column, SelectedStream } from '@fjord/core';
import { currentSchema, fileFields, type NestedField, type Table } from '@fjord/iceberg';
import { toIcebergColumns } from '../table-schema.ts';
import type { KeyFields } from './key-indexes.ts';
import { METADATA, type MetadataColumn, metadataColumns, tableColumns } from './metadata-columns.ts';

/** One version of a stream's columns. */
export type StreamSchema = { version: number; columns: readonly Column[]; primaryKey: readonly string[] };

/** What the files of a run are made of. */
export type RunLayout = {
  /** The stream's columns as the run's batches have them, and behind them those that only newer versions have (rule 13). */
  columns: readonly Column[];
  /** How many of them the batches have. */
  carried: number;
  metadata: readonly MetadataColumn[];
  /** All columns of a file, and the fields of the table that they are. */
  fileColumns: readonly Column[];
  fields: readonly NestedField[];
  /** The numbers of the key's columns, -1 where the run has none, and the fields of the table that they are. */
  key: readonly number[];
  keyFields: KeyFields;
  isKeyless: boolean;
};

/** Lays out a run of one version, given the newest one. */
export function layOutRun(
  table: Table,
  { selected, schema, newest }: { selected: SelectedStream; schema: StreamSchema; newest: StreamSchema },
): RunLayout {
  const names = new Set(schema.columns.map(({ name }) => name));
  const added = schema.version === newest.version ? [] : newest.columns.filter(({ name }) => !names.has(name));
  const columns = [...schema.columns, ...added.map((column) => ({ ...column, nullable: true }))];
  const metadata = metadataColumns(selected);
  const fileColumns = tableColumns(selected, columns);
  const fields = fileFields(currentSchema(table.metadata), toIcebergColumns(fileColumns));
  const isKeyless = schema.primaryKey.length === 0;
  const key = isKeyless ? wholeRow(table, fields, metadata) : keyOf(schema);
  return {
    columns,
    carried: schema.columns.length,
    metadata,
    fileColumns,
    fields,
    key: key.map((index) => (index < columns.length ? index : -1)),
    keyFields: { fields: key.map((index) => fields[index]!), exact: !isKeyless },
    isKeyless,
  };
}

function keyOf({ columns, primaryKey }: StreamSchema): number[] {
  return primaryKey.map((name) => {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0) throw new Error(`the key's column "${name}" is not among the stream's`);
    return index;
  });
}

/** All columns, in the order of the table so that it is the same in each version; a row that is marked as deleted is another one. */
function wholeRow(table: Table, fields: readonly NestedField[], metadata: readonly MetadataColumn[]): number[] {
  const mark = metadata.includes('deletedAt') ? METADATA.deletedAt.name : undefined;
  const own = new Set<string>(metadata.map((column) => METADATA[column].name).filter((name) => name !== mark));
  const order = currentSchema(table.metadata).fields.map(({ id }) => id);
  return [...fields.keys()]
    .filter((index) => !own.has(fields[index]!.name))
    .toSorted((a, b) => order.indexOf(fields[a]!.id) - order.indexOf(fields[b]!.id));
}
