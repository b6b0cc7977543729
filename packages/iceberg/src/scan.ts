import type { Table } from './catalog.ts';
import { type DataFile, isDataFile } from './data-file.ts';
import { DeleteIndex, type LiveFile } from './delete-index.ts';
import { FileFilter } from './file-filter.ts';
import { decodeManifest, type ManifestEntry } from './manifest.ts';
import { type ManifestFile, readManifestList } from './manifest-list.ts';
import { mapAhead } from './map-ahead.ts';
import type { Predicate } from './predicate.ts';
import { FILE_PATH_ID } from './row-deletes/position-delete-file.ts';
import type { Schema } from './schema.ts';
import { type Snapshot, MAIN } from './snapshot.ts';
import { currentSchema, snapshotById, snapshotOfRef } from './table-metadata.ts';

/** Which state of the table to scan: a snapshot, a branch or tag; main unless said. */
export interface ScanOptions {
  readonly snapshotId?: bigint | undefined;
  readonly ref?: string | undefined;
  /** Leaves out files which, by their partition and metrics, hold no row for which it holds. Rows must still be tested when they are read. */
  readonly filter?: Predicate | undefined;
  /** The columns, by field id, whose metrics the files are to have: all unless said. A table of many files takes a fraction of the time and memory without. */
  readonly metricsOf?: ReadonlySet<number> | undefined;
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
  const read = (manifest: ManifestFile) => liveFiles(table, manifest, { filter, metricsOf: options.metricsOf });
  const data = manifests.filter(({ content }) => content === 'data');
  if (data.length === 0) return;
  const deletes = new DeleteIndex();
  const deleteManifests = manifests.filter(({ content }) => content === 'deletes');
  for await (const files of mapAhead(deleteManifests, MANIFESTS_AHEAD, read))
    for (const file of files) deletes.add(file);
  for await (const files of mapAhead(data, MANIFESTS_AHEAD, read)) {
    for (const live of files) {
      const { file, specId, sequenceNumber } = live;
      yield { file, specId, sequenceNumber, deletes: deletes.find(live) };
    }
  }
}

/** The live delete files of a snapshot, main's unless said: also such that apply to no data file any more, which no scan names. */
export async function* listDeleteFiles(table: Table, options: ScanOptions = {}): AsyncGenerator<DataFile> {
  const snapshot = chooseSnapshot(table, options);
  const manifests = snapshot ? await readManifestList(table.io, snapshot) : [];
  const deletes = manifests.filter(({ content }) => content === 'deletes');
  const read = (manifest: ManifestFile) => liveFiles(table, manifest, { filter: undefined, metricsOf: new Set() });
  for await (const files of mapAhead(deletes, MANIFESTS_AHEAD, read)) yield* files.map(({ file }) => file);
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

type Reading = { filter: FileFilter | undefined; metricsOf: ReadonlySet<number> | undefined };

/** Whom a position delete file is about is told by its bounds of this column. */
const ALWAYS_READ = [FILE_PATH_ID];

async function liveFiles(table: Table, manifest: ManifestFile, reading: Reading): Promise<LiveFile[]> {
  const { specId } = manifest;
  const bytes = await table.io.read(manifest.path);
  const { filter } = reading;
  const metricsOf = reading.metricsOf && new Set([...reading.metricsOf, ...ALWAYS_READ]);
  const tested = filter && new Set([...filter.columns, ...(metricsOf ?? []), ...ALWAYS_READ]);
  const { entries, spec } = decodeManifest(bytes, manifest, { metricsOf: tested ?? metricsOf });
  const accepts = ({ status, file }: ManifestEntry) => {
    if (status === 'deleted' || !(filter?.acceptsPartition(specId, file.partition) ?? true)) return false;
    return !filter || !isDataFile(file) || filter.acceptsMetrics(file);
  };
  const accepted = entries.map(accepts);
  if (!accepted.includes(true)) return [];
  // Only where a file is wanted are all of its metrics decoded.
  const whole = filter && !metricsOf ? decodeManifest(bytes, manifest).entries : entries;
  const isUnpartitioned = spec.fields.every((field) => field.transform === 'void');
  return whole
    .filter((_, index) => accepted[index])
    .map(({ file, sequenceNumber }) => ({ file, sequenceNumber: sequenceNumber ?? 0n, specId, isUnpartitioned }));
}
