import type { Table } from './catalog.ts';
import type { DataFile, Partition } from './data-file.ts';
import { type ManifestEntry, readManifest } from './manifest.ts';
import { type ManifestFile, readManifestList } from './manifest-list.ts';
import { type Snapshot, MAIN } from './snapshot.ts';
import type { Value } from './single-value.ts';
import { snapshotById, snapshotOfRef } from './table-metadata.ts';

/** Which state of the table to scan: a snapshot, a branch or tag; main unless said. */
export interface ScanOptions {
  readonly snapshotId?: bigint | undefined;
  readonly ref?: string | undefined;
}

/** A data file to read, and the delete files to apply to its rows. */
export interface ScanFile {
  readonly file: DataFile;
  readonly deletes: readonly DataFile[];
  readonly specId: number;
  readonly sequenceNumber: bigint;
}

/** Yields the live data files of a snapshot, each with the delete files that apply to it (spec: Scan Planning). */
export async function* planFiles(table: Table, options: ScanOptions = {}): AsyncGenerator<ScanFile> {
  const snapshot = chooseSnapshot(table, options);
  if (!snapshot) return;
  const manifests = (await readManifestList(table.io, snapshot)).filter(
    (manifest) => manifest.addedFiles + manifest.existingFiles > 0,
  );
  const deletes: LiveFile[] = [];
  for (const manifest of manifests) {
    if (manifest.content === 'deletes') deletes.push(...(await liveFiles(table, manifest)));
  }
  for (const manifest of manifests) {
    if (manifest.content !== 'data') continue;
    for (const data of await liveFiles(table, manifest)) {
      const { file, specId, sequenceNumber } = data;
      yield {
        file,
        specId,
        sequenceNumber,
        deletes: deletes.filter((item) => applies(item, data)).map((item) => item.file),
      };
    }
  }
}

interface LiveFile {
  readonly file: DataFile;
  readonly specId: number;
  readonly sequenceNumber: bigint;
  readonly partitionKey: string;
  readonly isUnpartitioned: boolean;
}

function chooseSnapshot({ metadata }: Table, options: ScanOptions): Snapshot | undefined {
  if (options.snapshotId !== undefined) return snapshotById(metadata, options.snapshotId);
  return snapshotOfRef(metadata, options.ref ?? MAIN);
}

async function liveFiles(table: Table, manifest: ManifestFile): Promise<LiveFile[]> {
  const { entries, spec } = await readManifest(table.io, manifest);
  return entries.filter(isLive).map(({ file, sequenceNumber }) => ({
    file,
    specId: manifest.specId,
    sequenceNumber: sequenceNumber ?? 0n,
    partitionKey: partitionKey(manifest.specId, file.partition),
    isUnpartitioned: spec.fields.every((field) => field.transform === 'void'),
  }));
}

/** Spec, Scan Planning: equality deletes hit only older files, position deletes also those of their own commit. */
function applies(deletes: LiveFile, data: LiveFile): boolean {
  const samePartition = deletes.partitionKey === data.partitionKey;
  if (deletes.file.content === 'equality-deletes') {
    return data.sequenceNumber < deletes.sequenceNumber && (samePartition || deletes.isUnpartitioned);
  }
  const referenced = deletes.file.referencedDataFile;
  return (
    data.sequenceNumber <= deletes.sequenceNumber &&
    samePartition &&
    (referenced ?? data.file.filePath) === data.file.filePath
  );
}

function partitionKey(specId: number, partition: Partition | undefined): string {
  const values = Array.from(partition ?? [], ([id, value]) => `${id}=${formatValue(value)}`);
  return [specId, ...values].join('|');
}

function formatValue(value: Value | null): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return value === null ? 'null' : `${typeof value}:${value}`;
}

function isLive(entry: ManifestEntry): boolean {
  return entry.status !== 'deleted';
}
