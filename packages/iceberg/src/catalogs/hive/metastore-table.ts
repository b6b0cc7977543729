import type { TableIdentifier } from '../../catalog.ts';
import { currentSchema } from '../../table-metadata.ts';
import { hiveColumns } from '../hive-type.ts';
import type { StagedMetadata } from '../pointer-store.ts';
import {
  type ThriftStruct,
  type ThriftValue,
  fieldsOf,
  int,
  list,
  struct,
  structOf,
  text,
  textMap,
  textOf,
  textsOf,
} from './thrift-value.ts';

/** Numbers of the fields of Hive's structs Table and StorageDescriptor (hive_metastore.thrift). */
const TABLE = {
  name: 1,
  database: 2,
  owner: 3,
  createTime: 4,
  accessTime: 5,
  retention: 6,
  storage: 7,
  partitionKeys: 8,
  parameters: 9,
  type: 12,
};
const STORAGE = { columns: 1, location: 2, inputFormat: 3, outputFormat: 4, serde: 7 };

/** A new entry of the metastore for an Iceberg table, as Iceberg's HiveCatalog makes it. */
export function newMetastoreTable({ namespace, name }: TableIdentifier, staged: StagedMetadata): ThriftValue {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return struct({
    [TABLE.name]: text(name),
    [TABLE.database]: text(namespace.join('.')),
    [TABLE.owner]: text('fjord'),
    [TABLE.createTime]: int(nowSeconds),
    [TABLE.accessTime]: int(nowSeconds),
    [TABLE.retention]: int(0x7fff_ffff),
    [TABLE.storage]: { type: 'struct', fields: storage(new Map(), staged) },
    [TABLE.partitionKeys]: list('struct', []),
    [TABLE.parameters]: textMap({ EXTERNAL: 'TRUE', ...parameters(staged) }),
    [TABLE.type]: text('EXTERNAL_TABLE'),
  });
}

/** The entry with `staged` in the place of `from`; all that others have set stays. */
export function nextMetastoreTable(entry: ThriftStruct, from: string, staged: StagedMetadata): ThriftValue {
  const before = textsOf(entry.get(TABLE.parameters));
  const next = { ...before, ...parameters(staged), previous_metadata_location: from };
  return {
    type: 'struct',
    fields: new Map([
      ...entry,
      [TABLE.storage, { type: 'struct', fields: storage(structOf(entry.get(TABLE.storage)), staged) }],
      [TABLE.parameters, textMap(next)],
    ]),
  };
}

/** The entry under another name. */
export function renamedMetastoreTable(entry: ThriftStruct, { namespace, name }: TableIdentifier): ThriftValue {
  const names = fieldsOf({ [TABLE.name]: text(name), [TABLE.database]: text(namespace.join('.')) });
  return { type: 'struct', fields: new Map([...entry, ...names]) };
}

/** Where an entry's metadata is; undefined if it is no Iceberg table. */
export function metadataLocationOf(entry: ThriftStruct): string | undefined {
  const found = textsOf(entry.get(TABLE.parameters));
  return found['table_type']?.toUpperCase() === 'ICEBERG' ? found['metadata_location'] : undefined;
}

/** The name of an entry. */
export function nameOf(entry: ThriftStruct): string {
  return textOf(entry.get(TABLE.name)) ?? '';
}

/** Not the table's own properties: old metastores keep at most 4000 characters of one. */
function parameters({ metadata, metadataLocation }: StagedMetadata): Record<string, string> {
  return { table_type: 'ICEBERG', metadata_location: metadataLocation, uuid: metadata['table-uuid'] };
}

function storage(before: ThriftStruct, { metadata }: StagedMetadata): ThriftStruct {
  const columns = hiveColumns(currentSchema(metadata)).map(({ name, type, comment }) =>
    struct({ 1: text(name), 2: text(type), 3: comment === undefined ? undefined : text(comment) }),
  );
  // Classes that any Hive has; Hive's own Iceberg handler is not needed to read through an engine.
  const defaults = fieldsOf({
    [STORAGE.inputFormat]: text('org.apache.hadoop.mapred.FileInputFormat'),
    [STORAGE.outputFormat]: text('org.apache.hadoop.mapred.FileOutputFormat'),
    [STORAGE.serde]: struct({ 2: text('org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'), 3: textMap({}) }),
  });
  const own = fieldsOf({ [STORAGE.columns]: list('struct', columns), [STORAGE.location]: text(metadata.location) });
  return new Map([...defaults, ...before, ...own]);
}
