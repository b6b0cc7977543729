import { IcebergError } from './errors.ts';
import { LAST_UNASSIGNED_PARTITION_ID, type PartitionSpec, hasSamePartitions } from './partition-spec.ts';
import { type Schema, checkSchema, hasSameFields, highestFieldId } from './schema.ts';
import { MAIN, type Snapshot, type SnapshotRef } from './snapshot.ts';
import type { SortOrder } from './sort-order.ts';
import type { TableMetadata } from './table-metadata.ts';

/** One change of table metadata (REST catalog spec: TableUpdate). An id of -1 means the one added last in the same commit. */
export type TableUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly 'format-version': number }
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'set-current-schema'; readonly 'schema-id': number }
  | { readonly action: 'add-spec'; readonly spec: PartitionSpec }
  | { readonly action: 'set-default-spec'; readonly 'spec-id': number }
  | { readonly action: 'add-sort-order'; readonly 'sort-order': SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly 'sort-order-id': number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | ({ readonly action: 'set-snapshot-ref'; readonly 'ref-name': string } & SnapshotRef)
  | { readonly action: 'remove-snapshot-ref'; readonly 'ref-name': string }
  | { readonly action: 'remove-snapshots'; readonly 'snapshot-ids': readonly bigint[] }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
  | { readonly action: 'set-location'; readonly location: string };

/** The metadata after all updates, in order. `base` is not changed. Throws `invalid_metadata` for an update that cannot be made. */
export function applyUpdates(base: TableMetadata, updates: readonly TableUpdate[]): TableMetadata {
  const draft: Draft = {
    metadata: { ...base, 'last-updated-ms': Math.max(Date.now(), base['last-updated-ms']) },
    addedSnapshots: new Set(),
  };
  for (const update of updates) draft.metadata = { ...draft.metadata, ...change(draft, update) };
  return draft.metadata;
}

interface Draft {
  metadata: TableMetadata;
  lastSchemaId?: number;
  lastSpecId?: number;
  lastSortOrderId?: number;
  readonly addedSnapshots: Set<bigint>;
}

type Change = Partial<TableMetadata> & { readonly schema?: undefined; readonly 'partition-spec'?: undefined };

function change(draft: Draft, update: TableUpdate): Change {
  const { metadata } = draft;
  switch (update.action) {
    case 'assign-uuid':
      return { 'table-uuid': update.uuid };
    case 'upgrade-format-version':
      return upgradeFormatVersion(metadata, update['format-version']);
    case 'add-schema':
      return addSchema(draft, update.schema);
    case 'set-current-schema':
      return {
        'current-schema-id': known(metadata.schemas, 'schema-id', resolve(update['schema-id'], draft.lastSchemaId)),
      };
    case 'add-spec':
      return addSpec(draft, update.spec);
    case 'set-default-spec':
      return {
        'default-spec-id': known(metadata['partition-specs'], 'spec-id', resolve(update['spec-id'], draft.lastSpecId)),
      };
    case 'add-sort-order':
      return addSortOrder(draft, update['sort-order']);
    case 'set-default-sort-order': {
      const id = resolve(update['sort-order-id'], draft.lastSortOrderId);
      return { 'default-sort-order-id': known(metadata['sort-orders'], 'order-id', id) };
    }
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot);
    case 'set-snapshot-ref':
      return setSnapshotRef(draft, update);
    case 'remove-snapshot-ref':
      return removeSnapshotRef(metadata, update['ref-name']);
    case 'remove-snapshots':
      return removeSnapshots(metadata, new Set(update['snapshot-ids']));
    case 'set-properties':
      return { properties: { ...metadata.properties, ...update.updates } };
    case 'remove-properties':
      return { properties: without(metadata.properties, (key) => update.removals.includes(key)) };
    case 'set-location':
      return { location: update.location };
    default:
      return update satisfies never;
  }
}

/** Version 1 also keeps the current schema and spec in fields that later versions do not have. */
const WITHOUT_VERSION_1_FIELDS: Change = { schema: undefined, 'partition-spec': undefined };

function upgradeFormatVersion(metadata: TableMetadata, version: number): Change {
  if (version < metadata['format-version']) throw invalid(metadata, `its format version cannot go down to ${version}`);
  if (version > 3)
    throw new IcebergError('unsupported', `Format version ${version} cannot be written; versions 2 and 3 can.`);
  // Rows that are there get their ids with the next snapshot.
  const nextRowId = version >= 3 ? { 'next-row-id': metadata['next-row-id'] ?? 0n } : {};
  return { 'format-version': version, ...nextRowId, ...WITHOUT_VERSION_1_FIELDS };
}

function addSchema(draft: Draft, schema: Schema): Change {
  const { metadata } = draft;
  checkSchema(schema, metadata['format-version']);
  const same = metadata.schemas.find((existing) => hasSameFields(existing, schema));
  if (same) {
    draft.lastSchemaId = same['schema-id'];
    return {};
  }
  draft.lastSchemaId = freeId(
    metadata.schemas.map((existing) => existing['schema-id']),
    schema['schema-id'],
  );
  const lastColumnId = Math.max(metadata['last-column-id'], highestFieldId(schema));
  return {
    schemas: [...metadata.schemas, { ...schema, 'schema-id': draft.lastSchemaId }],
    'last-column-id': lastColumnId,
  };
}

function addSpec(draft: Draft, spec: PartitionSpec): Change {
  const { metadata } = draft;
  const specs = metadata['partition-specs'];
  const same = specs.find((existing) => hasSamePartitions(existing.fields, spec.fields));
  if (same) {
    draft.lastSpecId = same['spec-id'];
    return {};
  }
  draft.lastSpecId = freeId(
    specs.map((existing) => existing['spec-id']),
    spec['spec-id'],
  );
  const fieldIds = spec.fields.map((field) => field['field-id']);
  const lastPartitionId = Math.max(metadata['last-partition-id'], LAST_UNASSIGNED_PARTITION_ID, ...fieldIds);
  return {
    'partition-specs': [...specs, { ...spec, 'spec-id': draft.lastSpecId }],
    'last-partition-id': lastPartitionId,
  };
}

function addSortOrder(draft: Draft, order: SortOrder): Change {
  const orders = draft.metadata['sort-orders'];
  const same = orders.find((existing) => existing['order-id'] === order['order-id']);
  if (same && JSON.stringify(same.fields) === JSON.stringify(order.fields)) {
    draft.lastSortOrderId = same['order-id'];
    return {};
  }
  draft.lastSortOrderId = freeId(
    orders.map((existing) => existing['order-id']),
    order['order-id'],
  );
  return { 'sort-orders': [...orders, { ...order, 'order-id': draft.lastSortOrderId }] };
}

function addSnapshot(draft: Draft, snapshot: Snapshot): Change {
  const { metadata } = draft;
  const [id, sequenceNumber] = [snapshot['snapshot-id'], snapshot['sequence-number']];
  if (metadata.snapshots.some((existing) => existing['snapshot-id'] === id))
    throw invalid(metadata, `snapshot ${id} exists already`);
  const version = metadata['format-version'];
  if (version < 2) {
    throw new IcebergError(
      'unsupported',
      `The table at ${metadata.location} has format version ${version}; upgrade it to 2 before writing.`,
    );
  }
  if (sequenceNumber <= metadata['last-sequence-number']) {
    throw invalid(
      metadata,
      `sequence number ${sequenceNumber} is not above its last, ${metadata['last-sequence-number']}`,
    );
  }
  draft.addedSnapshots.add(id);
  return {
    ...(version >= 3 ? { 'next-row-id': nextRowId(metadata, snapshot) } : {}),
    snapshots: [...metadata.snapshots, snapshot],
    'last-sequence-number': sequenceNumber,
    'last-updated-ms': Math.max(metadata['last-updated-ms'], snapshot['timestamp-ms']),
  };
}

/** Ids that another commit gave out meanwhile must not be given again. */
function nextRowId(metadata: TableMetadata, snapshot: Snapshot): bigint {
  const [first, added] = [snapshot['first-row-id'], snapshot['added-rows']];
  const next = metadata['next-row-id'] ?? 0n;
  if (first === undefined || added === undefined || first < next)
    throw invalid(metadata, `snapshot ${snapshot['snapshot-id']} has no row ids from ${next}`);
  return first + added;
}

function setSnapshotRef(draft: Draft, update: Extract<TableUpdate, { action: 'set-snapshot-ref' }>): Change {
  const { metadata } = draft;
  const { action: _action, 'ref-name': name, ...ref } = update;
  const id = ref['snapshot-id'];
  const snapshot = metadata.snapshots.find((existing) => existing['snapshot-id'] === id);
  if (!snapshot) throw invalid(metadata, `it has no snapshot ${id} for ref "${name}"`);
  const refs = { ...metadata.refs, [name]: ref };
  if (name !== MAIN || metadata['current-snapshot-id'] === id) return { refs };
  // The log must stay sorted by time, and a snapshot made current later than it was added counts from now.
  const timestampMs = draft.addedSnapshots.has(id) ? snapshot['timestamp-ms'] : metadata['last-updated-ms'];
  const entry = { 'timestamp-ms': timestampMs, 'snapshot-id': id };
  return { refs, 'current-snapshot-id': id, 'snapshot-log': [...metadata['snapshot-log'], entry] };
}

function removeSnapshotRef(metadata: TableMetadata, name: string): Change {
  const refs = without(metadata.refs, (key) => key === name);
  return name === MAIN ? { refs, 'current-snapshot-id': undefined } : { refs };
}

function removeSnapshots(metadata: TableMetadata, ids: ReadonlySet<bigint>): Change {
  const log = metadata['snapshot-log'];
  // Spec: entries before a removed snapshot are dropped too, since the history has a gap there.
  const lastRemoved = log.findLastIndex((entry) => ids.has(entry['snapshot-id']));
  const current = metadata['current-snapshot-id'];
  return {
    snapshots: metadata.snapshots.filter((snapshot) => !ids.has(snapshot['snapshot-id'])),
    'snapshot-log': log.slice(lastRemoved + 1),
    refs: Object.fromEntries(Object.entries(metadata.refs).filter(([, ref]) => !ids.has(ref['snapshot-id']))),
    ...(current !== undefined && ids.has(current) ? { 'current-snapshot-id': undefined } : {}),
  };
}

function resolve(id: number, lastAdded: number | undefined): number | undefined {
  return id === -1 ? lastAdded : id;
}

function known<K extends string>(
  items: readonly Readonly<Record<K, number>>[],
  key: K,
  id: number | undefined,
): number {
  if (id !== undefined && items.some((item) => item[key] === id)) return id;
  throw new IcebergError(
    'invalid_metadata',
    `The table has no ${key.replace('-', ' ')} ${id ?? 'added in this commit'}.`,
  );
}

function freeId(taken: readonly number[], wanted: number): number {
  return wanted >= 0 && !taken.includes(wanted) ? wanted : Math.max(-1, ...taken) + 1;
}

function without<T>(record: Readonly<Record<string, T>>, isRemoved: (key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !isRemoved(key)));
}

function invalid(metadata: TableMetadata, reason: string): IcebergError {
  return new IcebergError('invalid_metadata', `The table at ${metadata.location} cannot take the update: ${reason}.`);
}
