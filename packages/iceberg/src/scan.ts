import type { Table } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { DeleteIndex, type LiveFile } from './delete-index.ts';
import { FileFilter } from './file-filter.ts';
import { readManifest } from './manifest.ts';
import { type ManifestFile, readManifestList } from './manifest-list.ts';
import { mapAhead } from './map-ahead.ts';
import type { Predicate } from './predicate.ts';
import type { Schema } from './schema.ts';
import { type Snapshot, MAIN } from './snapshot.ts';
import { currentSchema, snapshotById, snapshotOfRef } from './table-metadata.ts';

/** Which state of the table to scan: a snapshot, a branch or tag; main unless said. */
export interface ScanOptions {
  readonly snapshotId?: bigint | undefined;
  readonly ref?: string | undefined;
  /** Leaves out files which, by their partition and metrics, hold no row for which it holds. Rows must still be tested when they are read. */
  readonly filter?: Predicate | undefined;
}

/** A data file to read, and the delete files to apply to its rows. */
export interface ScanFile {
  readonly file: DataFile;
  readonly deletes: readonly DataFile[];
  readonly specId: number;
  readonly sequenceNumber: bigint;
}

/** Manifests read at once. */
const MANIFESTS_AHEAD = 8;

/**
 * Yields the live data files of a snapshot, each with the delete files that apply to it (spec: Scan Planning). Manifests are pruned by
 * their partition summaries, files by partition values and metrics. At most a few manifests are held, and all deletes.
 */
export async function* planFiles(table: Table, options: ScanOptions = {}): AsyncGenerator<ScanFile> {
  const snapshot = chooseSnapshot(table, options);
  if (!snapshot) return;
  const filter = options.filter && new FileFilter(options.filter, table.metadata, schemaOf(table, snapshot, options));
  const manifests = (await readManifestList(table.io, snapshot)).filter(
    (manifest) => manifest.addedFiles + manifest.existingFiles > 0 && (filter?.acceptsManifest(manifest) ?? true),
  );
  const read = (manifest: ManifestFile) => liveFiles(table, manifest, filter);
  const data = manifests.filter(({ content }) => content === 'data');
  if (data.length === 0) return;
  const deletes = new DeleteIndex();
  const deleteManifests = manifests.filter(({ content }) => content === 'deletes');
  for await (const files of mapAhead(deleteManifests, MANIFESTS_AHEAD, read))
    for (const file of files) deletes.add(file);
  for await (const files of mapAhead(data, MANIFESTS_AHEAD, read)) {
    for (const live of files) {
      if (filter && !filter.acceptsMetrics(live.file)) continue;
      const { file, specId, sequenceNumber } = live;
      yield { file, specId, sequenceNumber, deletes: deletes.find(live) };
    }
  }
}

function chooseSnapshot({ metadata }: Table, options: ScanOptions): Snapshot | undefined {
  if (options.snapshotId !== undefined) return snapshotById(metadata, options.snapshotId);
  return snapshotOfRef(metadata, options.ref ?? MAIN);
}

/** A snapshot named by its id is read with the schema that it was written with, the head of a branch with the current one. */
function schemaOf({ metadata }: Table, snapshot: Snapshot, { snapshotId }: ScanOptions): Schema {
  const own = metadata.schemas.find((schema) => schema['schema-id'] === snapshot['schema-id']);
  return (snapshotId === undefined ? undefined : own) ?? currentSchema(metadata);
}

async function liveFiles(table: Table, manifest: ManifestFile, filter: FileFilter | undefined): Promise<LiveFile[]> {
  const { entries, spec } = await readManifest(table.io, manifest);
  const { specId } = manifest;
  const isUnpartitioned = spec.fields.every((field) => field.transform === 'void');
  return entries
    .filter(({ status, file }) => status !== 'deleted' && (filter?.acceptsPartition(specId, file.partition) ?? true))
    .map(({ file, sequenceNumber }) => ({ file, sequenceNumber: sequenceNumber ?? 0n, specId, isUnpartitioned }));
}
