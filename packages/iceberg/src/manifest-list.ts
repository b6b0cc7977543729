import { decodeAvroFile, encodeAvroFile } from './avro/container.ts';
import { manifestFileSchema } from './avro/iceberg-schemas.ts';
import { recordOf } from './avro/record.ts';
import type { AvroValue } from './avro/schema.ts';
import { IcebergError, isIcebergError } from './errors.ts';
import type { FileIO } from './file-io.ts';
import type { FieldSummary } from './partition-summary.ts';
import type { Snapshot } from './snapshot.ts';

/** One line of a manifest list (spec: manifest_file). */
export interface ManifestFile {
  readonly path: string;
  readonly length: bigint;
  readonly specId: number;
  readonly content: 'data' | 'deletes';
  readonly sequenceNumber: bigint;
  readonly minSequenceNumber: bigint;
  readonly addedSnapshotId: bigint;
  readonly addedFiles: number;
  readonly existingFiles: number;
  readonly deletedFiles: number;
  readonly addedRows: bigint;
  readonly existingRows: bigint;
  readonly deletedRows: bigint;
  readonly partitions?: readonly FieldSummary[];
  readonly keyMetadata?: Uint8Array;
  /** Format version 3: the row id of the first row of a manifest's files that have none of their own (spec: Row Lineage). */
  readonly firstRowId?: bigint;
}

/** Reads the manifests of a snapshot, from whatever wrote them. */
export async function readManifestList(io: FileIO, snapshot: Snapshot): Promise<ManifestFile[]> {
  const location = snapshot['manifest-list'];
  if (location === undefined) {
    throw new IcebergError(
      'unsupported',
      `Snapshot ${snapshot['snapshot-id']} lists its manifests in the metadata, as only old version 1 tables do.`,
    );
  }
  const { records } = decodeAvroFile(await io.read(location), location);
  try {
    return Array.from(records, decodeManifestFile);
  } catch (cause) {
    if (isIcebergError(cause, 'invalid_manifest')) throw cause;
    throw new IcebergError(
      'invalid_manifest',
      `Manifest list ${location} does not have the shape that the spec demands.`,
      { cause },
    );
  }
}

/** Writes the manifest list of a snapshot at its `manifest-list` location. */
export async function writeManifestList(
  io: FileIO,
  snapshot: Snapshot,
  { manifests, version }: { manifests: readonly ManifestFile[]; version: number },
): Promise<void> {
  const header = {
    'snapshot-id': String(snapshot['snapshot-id']),
    'parent-snapshot-id': String(snapshot['parent-snapshot-id'] ?? null),
    'sequence-number': String(snapshot['sequence-number']),
    ...(snapshot['first-row-id'] === undefined ? {} : { 'first-row-id': String(snapshot['first-row-id']) }),
    'format-version': String(version),
  };
  await io.write(
    snapshot['manifest-list'],
    encodeAvroFile(manifestFileSchema(version), header, manifests.map(encodeManifestFile)),
  );
}

function encodeManifestFile(manifest: ManifestFile): Record<string, unknown> {
  return {
    manifest_path: manifest.path,
    manifest_length: manifest.length,
    partition_spec_id: manifest.specId,
    content: manifest.content === 'data' ? 0 : 1,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions: manifest.partitions?.map((summary) => ({
      contains_null: summary.containsNull,
      contains_nan: summary.containsNan,
      lower_bound: summary.lowerBound,
      upper_bound: summary.upperBound,
    })),
    key_metadata: manifest.keyMetadata,
    first_row_id: manifest.firstRowId,
  };
}

/** Manifest lists of version 1 have no sequence numbers (they mean 0) and may have no counts (unknown, so not zero). */
function decodeManifestFile(record: AvroValue): ManifestFile {
  const row = recordOf(record);
  const partitions = row.optionalArray(507)?.map(decodeFieldSummary);
  const [keyMetadata, firstRowId] = [row.optionalBytes(519), row.optionalLong(520)];
  return {
    path: row.string(500),
    length: row.long(501),
    specId: row.int(502),
    content: row.optionalInt(517) === 1 ? 'deletes' : 'data',
    sequenceNumber: row.optionalLong(515) ?? 0n,
    minSequenceNumber: row.optionalLong(516) ?? 0n,
    addedSnapshotId: row.long(503),
    addedFiles: row.optionalInt(504) ?? 1,
    existingFiles: row.optionalInt(505) ?? 1,
    deletedFiles: row.optionalInt(506) ?? 1,
    addedRows: row.optionalLong(512) ?? 0n,
    existingRows: row.optionalLong(513) ?? 0n,
    deletedRows: row.optionalLong(514) ?? 0n,
    ...(partitions ? { partitions } : {}),
    ...(keyMetadata ? { keyMetadata } : {}),
    ...(firstRowId === undefined ? {} : { firstRowId }),
  };
}

function decodeFieldSummary(record: AvroValue): FieldSummary {
  const row = recordOf(record);
  const [lowerBound, upperBound] = [row.optionalBytes(510), row.optionalBytes(511)];
  return {
    containsNull: row.boolean(509),
    ...(typeof row.value(518) === 'boolean' ? { containsNan: row.boolean(518) } : {}),
    ...(lowerBound ? { lowerBound } : {}),
    ...(upperBound ? { upperBound } : {}),
  };
}
