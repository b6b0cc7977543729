import type { TableContents } from '@fjord/core';
import {
  currentSchema,
  type DataFile,
  defaultSpec,
  fieldsById,
  planFiles,
  readManifestList,
  type Schema,
  type Snapshot,
  snapshotOfRef,
  type SortField,
  type Table,
} from '@fjord/iceberg';
import { findHealth } from './health.ts';
import { typeText } from './type-text.ts';

/** Properties that hold a pipeline's state: `fjord state` shows them. */
const STATE_PREFIX = 'fjord.state.';

/** Everything that a table's metadata and manifests say about it; no data file is opened. */
export async function describeTable(table: Table): Promise<TableContents> {
  const { metadata } = table;
  const schema = currentSchema(metadata);
  const properties = Object.entries(metadata.properties).filter(([name]) => !name.startsWith(STATE_PREFIX));
  const contents = {
    location: table.location,
    format: `Iceberg v${metadata['format-version']}`,
    columns: schema.fields.map(({ name, type, required, doc }) => ({
      name,
      type: typeText(type),
      nullable: !required,
      ...(doc !== undefined && { doc }),
    })),
    key: (schema['identifier-field-ids'] ?? []).map((id) => nameOf(schema, id)),
    ...layoutOf(table, schema),
    properties: Object.fromEntries(properties),
    snapshots: metadata.snapshots.map(describeSnapshot).reverse(),
    files: await countFiles(table),
  };
  return { ...contents, health: findHealth(contents) };
}

function layoutOf({ metadata }: Table, schema: Schema): Pick<TableContents, 'partition' | 'sort'> {
  const order = metadata['sort-orders'].find(
    (candidate) => candidate['order-id'] === metadata['default-sort-order-id'],
  );
  return {
    partition: defaultSpec(metadata)
      .fields.filter(({ transform }) => transform !== 'void')
      .map((field) => termText(field.transform, nameOf(schema, field['source-id']))),
    sort: (order?.fields ?? []).map((field) => sortText(field, schema)),
  };
}

function sortText(field: SortField, schema: Schema): string {
  const term = termText(field.transform, nameOf(schema, field['source-id']));
  return `${term} ${field.direction} ${field['null-order']}`;
}

/** As the options `partition` and `sort` take it. */
function termText(transform: string, column: string): string {
  if (transform === 'identity') return column;
  const [, name = transform, argument] = /^(\w+)\[(\d+)\]$/.exec(transform) ?? [];
  return argument === undefined ? `${name}(${column})` : `${name}(${argument}, ${column})`;
}

function nameOf(schema: Schema, id: number): string {
  return fieldsById(schema).get(id)?.name ?? `(dropped column ${id})`;
}

function describeSnapshot(snapshot: Snapshot): TableContents['snapshots'][number] {
  const { operation = 'unknown', ...summary } = snapshot.summary ?? {};
  return {
    id: String(snapshot['snapshot-id']),
    at: new Date(snapshot['timestamp-ms']).toISOString(),
    operation,
    summary,
  };
}

async function countFiles(table: Table): Promise<TableContents['files']> {
  const sizes: number[] = [];
  let rows = 0;
  const deletes = new Map<string, DataFile>();
  for await (const scanned of planFiles(table)) {
    sizes.push(Number(scanned.file.fileSizeInBytes));
    rows += Number(scanned.file.recordCount);
    // Several deletion vectors may lie in one file.
    for (const file of scanned.deletes) deletes.set(`${file.filePath}#${file.contentOffset ?? ''}`, file);
  }
  const snapshot = snapshotOfRef(table.metadata, 'main');
  const manifests = snapshot ? await readManifestList(table.io, snapshot) : [];
  sizes.sort((a, b) => a - b);
  return {
    count: sizes.length,
    bytes: sum(sizes),
    rows,
    smallestBytes: sizes[0] ?? 0,
    medianBytes: sizes[Math.floor(sizes.length / 2)] ?? 0,
    largestBytes: sizes.at(-1) ?? 0,
    ...countDeletes([...deletes.values()]),
    manifests: manifests.length,
  };
}

function countDeletes(files: DataFile[]) {
  const bytes = ({ contentSizeInBytes, fileSizeInBytes }: DataFile) => Number(contentSizeInBytes ?? fileSizeInBytes);
  const rowsOf = (content: DataFile['content']) =>
    sum(files.filter((file) => file.content === content).map(({ recordCount }) => Number(recordCount)));
  return {
    deleteFiles: files.length,
    deleteBytes: sum(files.map(bytes)),
    deletedPositions: rowsOf('position-deletes'),
    deletedKeys: rowsOf('equality-deletes'),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
