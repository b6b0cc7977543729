import { decodeAvroFile, encodeAvroFile } from './avro/container.ts';
import { decodeEntry, encodeEntry } from './avro/entry.ts';
import { manifestEntrySchema } from './avro/iceberg-schemas.ts';
import { type DataFile, isDataFile } from './data-file.ts';
import { IcebergError, isIcebergError } from './errors.ts';
import { stringifyExactJson } from './exact-json.ts';
import type { FileIO } from './file-io.ts';
import type { ManifestFile } from './manifest-list.ts';
import { type PartitionColumn, type PartitionField, type PartitionSpec, partitionColumns } from './partition-spec.ts';
import { summarizePartitions } from './partition-summary.ts';
import type { Schema } from './schema.ts';

/** Whether an entry's file was there before its snapshot, came with it or left with it. */
export type EntryStatus = 'existing' | 'added' | 'deleted';

/** One file of a manifest, with its sequence numbers inherited as the spec says. */
export interface ManifestEntry {
  readonly status: EntryStatus;
  /** The snapshot that added the file, or deleted it. */
  readonly snapshotId: bigint;
  /** Undefined in an entry that is to be written as added: readers then take the snapshot's (spec: Sequence Number Inheritance). */
  readonly sequenceNumber: bigint | undefined;
  readonly fileSequenceNumber: bigint | undefined;
  readonly file: DataFile;
}

/** A manifest read: its entries, and what is needed to write them again. */
export interface Manifest {
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly entries: readonly ManifestEntry[];
}

/** What a manifest is written from. */
export interface ManifestContent extends Manifest {
  readonly location: string;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  /** The table's format version: 2 or 3. */
  readonly version: number;
}

/** What of a manifest's entries is of no use to a reader. */
export interface ManifestReading {
  /** The columns, by field id, whose metrics are wanted: those of others are passed over. All unless said. */
  readonly metricsOf?: ReadonlySet<number> | undefined;
}

/** As `metricsOf`: the files themselves are enough. */
export const NO_METRICS: ReadonlySet<number> = new Set();

/** Reads a manifest; entries inherit snapshot id and sequence numbers from its line in the manifest list. */
export async function readManifest(
  io: FileIO,
  manifest: ManifestFile,
  reading: ManifestReading = {},
): Promise<Manifest> {
  return decodeManifest(await io.read(manifest.path), manifest, reading);
}

/** Decodes the bytes of a manifest: see `readManifest`. */
export function decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  { metricsOf }: ManifestReading = {},
): Manifest {
  const { header, records } = decodeAvroFile(bytes, manifest.path, { mapKeys: metricsOf });
  try {
    const schema = JSON.parse(header.get('schema') ?? '{}') as Schema;
    const fields = JSON.parse(header.get('partition-spec') ?? '[]') as PartitionField[];
    const spec = { 'spec-id': manifest.specId, fields };
    const columns = partitionColumns(spec, schema);
    const entries = Array.from(records, (record) => decodeEntry(record, columns, manifest));
    return { schema, spec, entries: withRowIds(entries, manifest) };
  } catch (cause) {
    if (isIcebergError(cause, 'invalid_manifest')) throw cause;
    throw new IcebergError(
      'invalid_manifest',
      `Manifest ${manifest.path} does not have the shape that the spec demands.`,
      { cause },
    );
  }
}

/** Writes a manifest of data files or of delete files (not both) and returns its line for the manifest list. */
export async function writeManifest(io: FileIO, content: ManifestContent): Promise<ManifestFile> {
  const { schema, spec, entries } = content;
  const holdsData = entries.every((entry) => isDataFile(entry.file));
  const columns = partitionColumns(spec, schema);
  const header = {
    schema: stringifyExactJson(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': JSON.stringify(spec.fields),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': String(content.version),
    content: holdsData ? 'data' : 'deletes',
  };
  const records = entries.map((entry) => encodeEntry(entry, columns));
  const bytes = encodeAvroFile(manifestEntrySchema(columns, content.version), header, records);
  await io.write(content.location, bytes);
  return describeManifest(content, { length: bytes.length, holdsData, columns });
}

/** Files without a row id of their own take the manifest's, counted on from file to file (spec: First Row ID Inheritance). */
function withRowIds(entries: ManifestEntry[], { firstRowId }: ManifestFile): ManifestEntry[] {
  if (firstRowId === undefined) return entries;
  let next = firstRowId;
  return entries.map((entry) => {
    if (entry.status === 'deleted' || !isDataFile(entry.file) || entry.file.firstRowId !== undefined) return entry;
    const file = { ...entry.file, firstRowId: next };
    next += entry.file.recordCount;
    return { ...entry, file };
  });
}

interface Written {
  readonly length: number;
  readonly holdsData: boolean;
  readonly columns: readonly PartitionColumn[];
}

function describeManifest(content: ManifestContent, { length, holdsData, columns }: Written): ManifestFile {
  const { entries } = content;
  const byStatus = (status: EntryStatus) => entries.filter((entry) => entry.status === status);
  const [added, existing, deleted] = [byStatus('added'), byStatus('existing'), byStatus('deleted')];
  const partitions = summarizePartitions(
    columns,
    entries.map((entry) => entry.file),
  );
  return {
    path: content.location,
    length: BigInt(length),
    specId: content.spec['spec-id'],
    content: holdsData ? 'data' : 'deletes',
    sequenceNumber: content.sequenceNumber,
    minSequenceNumber: lowestSequenceNumber([...added, ...existing], content.sequenceNumber),
    addedSnapshotId: content.snapshotId,
    addedFiles: added.length,
    existingFiles: existing.length,
    deletedFiles: deleted.length,
    addedRows: countRows(added),
    existingRows: countRows(existing),
    deletedRows: countRows(deleted),
    ...(partitions ? { partitions } : {}),
  };
}

function lowestSequenceNumber(live: readonly ManifestEntry[], own: bigint): bigint {
  return live.reduce((lowest, entry) => {
    const number = entry.sequenceNumber ?? own;
    return number < lowest ? number : lowest;
  }, own);
}

function countRows(entries: readonly ManifestEntry[]): bigint {
  return entries.reduce((sum, entry) => sum + entry.file.recordCount, 0n);
}
