import { randomUUID } from 'node:crypto';
import { IcebergError } from './errors.ts';
import { parseExactJson, stringifyExactJson } from './exact-json.ts';
import { checkMetadataShape } from './metadata-shape.ts';
import { LAST_UNASSIGNED_PARTITION_ID, type PartitionSpec, UNPARTITIONED } from './partition-spec.ts';
import { type Schema, checkSchema, highestFieldId } from './schema.ts';
import { MAIN, type Snapshot, type SnapshotRef } from './snapshot.ts';
import { type SortOrder, UNSORTED } from './sort-order.ts';

/**
 * Table metadata in the JSON shape of the spec (spec: Table Metadata Fields, format version 2): names are the spec's, 64-bit
 * ids are bigint. Fields that this library does not know are kept and written back.
 */
export interface TableMetadata {
  readonly 'format-version': number;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': bigint;
  readonly 'last-updated-ms': number;
  readonly 'last-column-id': number;
  readonly schemas: readonly Schema[];
  readonly 'current-schema-id': number;
  readonly 'partition-specs': readonly PartitionSpec[];
  readonly 'default-spec-id': number;
  readonly 'last-partition-id': number;
  readonly properties: Readonly<Record<string, string>>;
  /** Absent while the main branch has no snapshot (-1 in files). */
  readonly 'current-snapshot-id'?: bigint | undefined;
  readonly snapshots: readonly Snapshot[];
  readonly 'snapshot-log': readonly SnapshotLogEntry[];
  readonly 'metadata-log': readonly MetadataLogEntry[];
  readonly 'sort-orders': readonly SortOrder[];
  readonly 'default-sort-order-id': number;
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  /** Format version 3: the id that the next row added gets (spec: Row Lineage). */
  readonly 'next-row-id'?: bigint;
}

/** When a snapshot became the current one. */
export interface SnapshotLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'snapshot-id': bigint;
}

/** A metadata file that was once current. */
export interface MetadataLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'metadata-file': string;
}

/** What a new table is made of. */
export interface TableDefinition {
  readonly location: string;
  readonly schema: Schema;
  readonly partitionSpec?: PartitionSpec;
  readonly sortOrder?: SortOrder;
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * The metadata of a new, empty table: of format version 2, or of the one that the property `format-version` asks for, which is not kept as a
 * property (as in Iceberg's reference implementation).
 */
export function newTableMetadata(definition: TableDefinition): TableMetadata {
  const { 'format-version': wanted = '2', ...properties } = definition.properties ?? {};
  if (wanted !== '2' && wanted !== '3')
    throw new IcebergError('unsupported', `A table of format version ${wanted} cannot be made; 2 and 3 can.`);
  checkSchema(definition.schema, Number(wanted));
  const spec = definition.partitionSpec ?? UNPARTITIONED;
  const sortOrder = definition.sortOrder ?? UNSORTED;
  return {
    'format-version': Number(wanted),
    'table-uuid': randomUUID(),
    location: definition.location,
    'last-sequence-number': 0n,
    'last-updated-ms': Date.now(),
    'last-column-id': highestFieldId(definition.schema),
    schemas: [definition.schema],
    'current-schema-id': definition.schema['schema-id'],
    'partition-specs': [spec],
    'default-spec-id': spec['spec-id'],
    'last-partition-id': Math.max(LAST_UNASSIGNED_PARTITION_ID, ...spec.fields.map((field) => field['field-id'])),
    properties,
    ...(wanted === '3' ? { 'next-row-id': 0n } : {}),
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [sortOrder],
    'default-sort-order-id': sortOrder['order-id'],
    refs: {},
  };
}

/** Reads a metadata file. Version 1 is brought into the shape of version 2 (its number is kept). Throws `invalid_metadata`. */
export function parseTableMetadata(text: string): TableMetadata {
  return toTableMetadata(parseJson(text));
}

/** Like `parseTableMetadata`, for JSON that `parseExactJson` has already read, as in an answer of a REST catalog. */
export function toTableMetadata(value: unknown): TableMetadata {
  const json = asObject(value);
  const version = json['format-version'];
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new IcebergError(
      'invalid_metadata',
      `Table metadata has format version ${stringifyExactJson(version)}; 1, 2 and 3 can be read.`,
    );
  }
  try {
    return checkMetadata(withDefaults(version === 1 ? withVersion2Fields(json) : json));
  } catch (cause) {
    if (cause instanceof IcebergError) throw cause;
    throw new IcebergError('invalid_metadata', 'Table metadata does not have the shape that the spec demands.', {
      cause,
    });
  }
}

/** Writes metadata as the text of a metadata file. Throws `unsupported` for version 1, which is read only. */
export function serializeTableMetadata(metadata: TableMetadata): string {
  if (metadata['format-version'] === 1) {
    throw new IcebergError(
      'unsupported',
      `The table at ${metadata.location} has format version 1; upgrade it to 2 before writing.`,
    );
  }
  return stringifyExactJson({ ...metadata, 'current-snapshot-id': metadata['current-snapshot-id'] ?? -1n });
}

/** The schema that new data is written with. */
export function currentSchema(metadata: TableMetadata): Schema {
  return find(
    metadata.schemas,
    (schema) => schema['schema-id'] === metadata['current-schema-id'],
    'current schema',
    metadata,
  );
}

/** The partition spec that new data is written with. */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata['default-spec-id']);
}

/** A partition spec by its id. */
export function specById(metadata: TableMetadata, id: number): PartitionSpec {
  return find(metadata['partition-specs'], (spec) => spec['spec-id'] === id, `partition spec ${id}`, metadata);
}

/** The newest snapshot of a branch, or a tag's snapshot; undefined if there is no such ref. */
export function snapshotOfRef(metadata: TableMetadata, ref: string = MAIN): Snapshot | undefined {
  const id = metadata.refs[ref]?.['snapshot-id'];
  return id === undefined ? undefined : snapshotById(metadata, id);
}

/** A snapshot by its id. Throws `invalid_metadata` if the table does not know it. */
export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot {
  return find(metadata.snapshots, (snapshot) => snapshot['snapshot-id'] === id, `snapshot ${id}`, metadata);
}

type Json = Record<string, unknown>;

function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new IcebergError('invalid_metadata', 'Table metadata is not JSON.', { cause });
  }
}

function asObject(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new IcebergError('invalid_metadata', 'Table metadata is not a JSON object.');
}

/** Version 1 has one schema and one spec in older fields, and no sequence numbers (spec: Version 1 upgrade). */
function withVersion2Fields(json: Json): Json {
  const snapshots = (json['snapshots'] ?? []) as Json[];
  const spec = { 'spec-id': 0, fields: withFieldIds(json['partition-spec']) };
  return {
    schemas: [{ 'schema-id': 0, ...(json['schema'] as Json | undefined) }],
    'current-schema-id': 0,
    'partition-specs': [spec],
    'default-spec-id': 0,
    'last-sequence-number': 0n,
    'table-uuid': randomUUID(),
    ...json,
    snapshots: snapshots.map((snapshot) => ({ 'sequence-number': 0n, ...snapshot })),
  };
}

/** Partition fields of version 1 may have no ids: they are counted from 1000 (spec: Partition Evolution). */
function withFieldIds(fields: unknown): Json[] {
  const first = LAST_UNASSIGNED_PARTITION_ID + 1;
  return ((fields ?? []) as Json[]).map((field, index) => ({ 'field-id': first + index, ...field }));
}

/** Optional fields of the spec with the meaning that their absence has. */
function withDefaults(json: Json): Json {
  const current = json['current-snapshot-id'] as bigint | null | undefined;
  const hasCurrent = current !== undefined && current !== null && current !== -1n;
  const { 'current-snapshot-id': _dropped, ...rest } = json;
  return {
    properties: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [UNSORTED],
    'default-sort-order-id': 0,
    'last-partition-id': highestPartitionId(json['partition-specs']),
    ...rest,
    refs: {
      ...(hasCurrent ? { [MAIN]: { 'snapshot-id': current, type: 'branch' } } : {}),
      ...(json['refs'] as Json | undefined),
    },
    ...(hasCurrent ? { 'current-snapshot-id': current } : {}),
  };
}

function highestPartitionId(specs: unknown): number {
  const fields = ((specs ?? []) as PartitionSpec[]).flatMap((spec) => spec.fields);
  return Math.max(LAST_UNASSIGNED_PARTITION_ID, ...fields.map((field) => field['field-id']));
}

function checkMetadata(json: Json): TableMetadata {
  checkMetadataShape(json);
  const metadata = json as unknown as TableMetadata;
  const [current, main] = [metadata['current-snapshot-id'], metadata.refs[MAIN]?.['snapshot-id']];
  if (current !== undefined && main !== undefined && current !== main)
    throw new IcebergError(
      'invalid_metadata',
      `Table metadata names ${current} as current snapshot and ${main} as main.`,
    );
  const known = new Set(metadata.snapshots.map((snapshot) => snapshot['snapshot-id']));
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (known.has(ref['snapshot-id'])) continue;
    throw new IcebergError(
      'invalid_metadata',
      `Table metadata has no snapshot ${ref['snapshot-id']} for ref "${name}".`,
    );
  }
  return metadata;
}

function find<T>(items: readonly T[], test: (item: T) => boolean, what: string, metadata: TableMetadata): T {
  const item = items.find(test);
  if (item === undefined)
    throw new IcebergError('invalid_metadata', `The table at ${metadata.location} has no ${what}.`);
  return item;
}
