import { type Column, ConnectorError, type SelectedStream } from '@fjord/core';
import {
  createPartitionSpec,
  createSortOrder,
  currentSchema,
  evolveSchema,
  extendNameMapping,
  isIcebergError,
  NAME_MAPPING_PROPERTY,
  parseNameMapping,
  renameColumns,
  type Schema,
  type Table,
  type TableChanges,
  type TableCreation,
  type TableMetadata,
  type TableUpdate,
} from '@fjord/iceberg';
import { columnsPropertyName, findRenames, noteColumns, parseColumnNames } from './column-names.ts';
import type { Config } from './config.ts';
import { schemaForColumns, toIcebergColumns } from './table-schema.ts';

const MEGABYTE = 1024 * 1024;

/** What a table is to be like: a stream's columns and its options. */
export type Layout = {
  columns: Column[];
  selected: SelectedStream;
  pipeline: string;
  properties: Record<string, string>;
};

/** The properties of new tables that follow from the destination's options, so that other writers of the table act alike. */
export function tableProperties(config: Config): Record<string, string> {
  return {
    'write.parquet.compression-codec': config.compression === 'none' ? 'uncompressed' : config.compression,
    ...(config.compressionLevel !== undefined && {
      'write.parquet.compression-level': String(config.compressionLevel),
    }),
    // A commit every few seconds leaves many metadata files: those that the log forgets are deleted.
    'write.metadata.delete-after-commit.enabled': 'true',
    'write.target-file-size-bytes': String(Math.round(config.targetFileMB * MEGABYTE)),
    ...config.tableProperties,
  };
}

/** A stream's table that does not exist yet. Throws `config_invalid` for a partition or sort order that does not suit the columns. */
export function newTable({
  columns,
  primaryKey,
  selected,
  pipeline,
  properties,
}: Layout & { primaryKey: string[] }): TableCreation {
  const schema = schemaForColumns(columns, primaryKey);
  const { partition = [], sort = [], target, formatVersion, tableProperties: own } = selected;
  const names = noteColumns(schema, columns, {});
  return configured(selected, () => ({
    schema,
    partitionSpec: createPartitionSpec(schema, partition),
    sortOrder: createSortOrder(schema, sort),
    properties: {
      ...properties,
      ...own,
      ...(names !== undefined && { [columnsPropertyName(pipeline, selected.stream)]: names }),
      ...(formatVersion !== undefined && { 'format-version': String(formatVersion) }),
    },
    ...(target.location !== undefined && { location: target.location.replace(/\/+$/, '') }),
  }));
}

/**
 * What must change in a table that exists before the stream's rows are written: format, schema, partition spec, sort order and properties,
 * as far as the stream names them. Undefined if nothing must. `schema_incompatible` as `evolveSchema` says.
 */
export function layoutChanges({ metadata }: Table, layout: Layout): TableChanges | undefined {
  const { selected } = layout;
  const schema = currentSchema(metadata);
  const evolved = schemaFor(metadata, layout);
  const updates = configured(selected, () => [
    ...upgrade(metadata, selected),
    ...(evolved ? setSchema(metadata, evolved) : []),
    ...respecify(metadata, evolved ?? schema, selected),
    ...addWholeSpec(metadata, selected),
    ...setProperties(metadata, selected),
    ...noteNames(metadata, evolved ?? schema, layout),
  ]);
  if (updates.length === 0) return undefined;
  return {
    updates,
    // Ids were given out on top of these: another writer's would be given twice.
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
      { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': metadata['last-column-id'] },
      { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': metadata['last-partition-id'] },
    ],
  };
}

/** The schema that the rows need, if it is another one: first columns are renamed as at the source, then it grows. */
function schemaFor(metadata: TableMetadata, { columns, selected, pipeline }: Layout): Schema | undefined {
  const schema = currentSchema(metadata);
  const known = parseColumnNames(metadata.properties[columnsPropertyName(pipeline, selected.stream)]);
  const renames = selected.onRename === 'new-column' ? new Map() : findRenames(schema, columns, known);
  const renamed = renameColumns(schema, renames);
  const evolved = evolveSchema(renamed, toIcebergColumns(columns), {
    lastColumnId: metadata['last-column-id'],
    onIncompatible: selected.onIncompatible === 'new-column' ? 'new-column' : 'fail',
  });
  return evolved ?? (renames.size > 0 ? renamed : undefined);
}

function noteNames(
  { properties }: TableMetadata,
  schema: Schema,
  { columns, selected, pipeline }: Layout,
): TableUpdate[] {
  const name = columnsPropertyName(pipeline, selected.stream);
  const text = noteColumns(schema, columns, parseColumnNames(properties[name]));
  return text === undefined ? [] : [{ action: 'set-properties', updates: { [name]: text } }];
}

/** Snapshots are written for format 2 and up. */
function upgrade(metadata: TableMetadata, { formatVersion = 2 }: SelectedStream): TableUpdate[] {
  if (metadata['format-version'] >= formatVersion) return [];
  return [{ action: 'upgrade-format-version', 'format-version': formatVersion }];
}

/** A table that others keep files without field ids in has a mapping of names, which must know the new columns too. */
function setSchema({ properties }: TableMetadata, schema: Schema): TableUpdate[] {
  const mapping = parseNameMapping(properties);
  const extended = mapping && JSON.stringify(extendNameMapping(mapping, schema));
  return [
    { action: 'add-schema', schema },
    { action: 'set-current-schema', 'schema-id': -1 },
    ...(extended === undefined
      ? []
      : [{ action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: extended } } as const]),
  ];
}

/** Partition spec and sort order are the table's own business unless the stream names them. */
function respecify(metadata: TableMetadata, schema: Schema, { partition, sort }: SelectedStream): TableUpdate[] {
  const spec = partition && createPartitionSpec(schema, partition, metadata);
  const order = sort && createSortOrder(schema, sort, metadata['sort-orders']);
  const updates: TableUpdate[] = [];
  if (spec && spec['spec-id'] !== metadata['default-spec-id'])
    updates.push({ action: 'add-spec', spec }, { action: 'set-default-spec', 'spec-id': -1 });
  if (order && order['order-id'] !== metadata['default-sort-order-id']) {
    updates.push({ action: 'add-sort-order', 'sort-order': order });
    updates.push({ action: 'set-default-sort-order', 'sort-order-id': -1 });
  }
  return updates;
}

/** Deletes by key are of a spec without fields, so that they apply to every partition. */
function addWholeSpec(metadata: TableMetadata, { changes }: SelectedStream): TableUpdate[] {
  const specs = metadata['partition-specs'];
  if (changes?.deleteFiles !== 'equality' || specs.some(({ fields }) => fields.length === 0)) return [];
  const id = Math.max(...specs.map((spec) => spec['spec-id'])) + 1;
  return [{ action: 'add-spec', spec: { 'spec-id': id, fields: [] } }];
}

function setProperties({ properties }: TableMetadata, { tableProperties: own = {} }: SelectedStream): TableUpdate[] {
  const changed = Object.entries(own).filter(([key, value]) => properties[key] !== value);
  return changed.length === 0 ? [] : [{ action: 'set-properties', updates: Object.fromEntries(changed) }];
}

/** A partition or sort order that cannot be made is the user's to correct. */
function configured<Result>({ stream }: SelectedStream, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!isIcebergError(cause, 'invalid_argument')) throw cause;
    throw new ConnectorError(
      'config_invalid',
      `The table of stream ${stream} cannot be laid out so: ${cause.message}`,
      {
        cause,
        stream,
      },
    );
  }
}
