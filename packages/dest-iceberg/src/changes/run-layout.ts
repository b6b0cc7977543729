import type { Column, SelectedStream } from '@fjord/core';
import { currentSchema, fileFields, type NestedField, type Schema, type Table } from '@fjord/iceberg';
import { toIcebergColumns } from '../table-schema.ts';
import type { KeyFields } from './key-indexes.ts';
import { METADATA, type MetadataColumn, metadataColumns, tableColumns } from './metadata-columns.ts';

/** One version of a stream's columns, and the fields of the table that these are, whatever they are called by now. */
export type StreamSchema = {
  version: number;
  columns: readonly Column[];
  primaryKey: readonly string[];
  fields: readonly Pick<NestedField, 'id' | 'name'>[];
};

/** Finds the fields of a version's columns in the table as it was made for them. */
export function bindSchema(table: Table, { version, columns, primaryKey }: Omit<StreamSchema, 'fields'>): StreamSchema {
  const fields = fileFields(currentSchema(table.metadata), toIcebergColumns([...columns]));
  return { version, columns, primaryKey, fields: fields.map(({ id, name }) => ({ id, name })) };
}

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
  const current = currentSchema(table.metadata);
  const own = renamed(schema, current);
  const added = addedSince({ ...schema, columns: own }, { ...newest, columns: renamed(newest, current) });
  const columns = [...own, ...added.map(({ column }) => ({ ...column, nullable: true }))];
  const metadata = metadataColumns(selected);
  const fileColumns = tableColumns(selected, columns);
  const described = fileFields(current, toIcebergColumns(fileColumns.slice(columns.length)));
  const ids = [...schema.fields, ...added.map(({ field }) => field), ...described].map(({ id }) => id);
  const fields = fileFields(current, toIcebergColumns(fileColumns), ids);
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

/** A version's columns; those whose fields were renamed since have the name that these have now. */
function renamed({ columns, fields }: StreamSchema, { fields: current }: Schema): Column[] {
  const names = new Map(current.map(({ id, name }) => [id, name]));
  return columns.map((column, index) => {
    const { id, name: before } = fields[index]!;
    const name = names.get(id) ?? before;
    return name === before ? column : { ...column, name };
  });
}

/** What a newer version has and an older one has not. */
function addedSince(older: StreamSchema, newer: StreamSchema) {
  const names = new Set(older.columns.map(({ name }) => name));
  const ids = new Set(older.fields.map(({ id }) => id));
  const pairs = newer.columns.map((column, index) => ({ column, field: newer.fields[index]! }));
  return pairs.filter(({ column, field }) => !names.has(column.name) && !ids.has(field.id));
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
