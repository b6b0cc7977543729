import { randomUUID } from 'node:crypto';
import type { Table, TableChanges } from './catalog.ts';
import type { FileIO } from './file-io.ts';
import { metadataFolder } from './location.ts';
import {
  type MetadataLogEntry,
  type TableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
} from './table-metadata.ts';
import { checkRequirements } from './table-requirement.ts';
import { applyUpdates } from './table-update.ts';

/** Iceberg's default of `write.metadata.previous-versions-max`. */
const PREVIOUS_VERSIONS_MAX = 100;

/** Reads and parses a metadata file. */
export async function readTableMetadata(io: FileIO, location: string): Promise<TableMetadata> {
  return parseTableMetadata(Buffer.from(await io.read(location)).toString('utf8'));
}

/** Writes the first metadata file of a table and returns its location. */
export function writeNewMetadata(io: FileIO, metadata: TableMetadata): Promise<string> {
  return writeMetadata(io, metadata, 0);
}

/**
 * Checks the requirements against `base`, applies the updates and writes the result as a new metadata file beside the current
 * one. The table changes once a catalog points at that file. Throws `commit_conflict`.
 */
export async function stageMetadata(
  base: Table,
  changes: TableChanges,
): Promise<{ metadata: TableMetadata; metadataLocation: string }> {
  const metadata = nextMetadata(base, changes);
  return { metadata, metadataLocation: await writeMetadata(base.io, metadata, versionOf(base.metadataLocation) + 1) };
}

/** The metadata that `changes` make of `base`, its log included. Throws `commit_conflict` if a requirement does not hold. */
export function nextMetadata(base: Table, { updates, requirements }: TableChanges): TableMetadata {
  checkRequirements(base.metadata, requirements);
  const updated = applyUpdates(base.metadata, updates);
  const entry = { 'timestamp-ms': base.metadata['last-updated-ms'], 'metadata-file': base.metadataLocation };
  return { ...updated, 'metadata-log': boundLog([...updated['metadata-log'], entry], updated) };
}

/** Deletes the metadata files that a commit dropped from the log, if the table's `write.metadata.delete-after-commit.enabled` says so. */
export async function removeForgotten(io: FileIO, before: TableMetadata, after: TableMetadata): Promise<void> {
  if (after.properties['write.metadata.delete-after-commit.enabled'] !== 'true') return;
  const remembered = new Set(after['metadata-log'].map((entry) => entry['metadata-file']));
  const forgotten = before['metadata-log'].filter((entry) => !remembered.has(entry['metadata-file']));
  await Promise.allSettled(forgotten.map((entry) => io.delete(entry['metadata-file'])));
}

function boundLog(log: readonly MetadataLogEntry[], { properties }: TableMetadata): readonly MetadataLogEntry[] {
  const wanted = Number.parseInt(properties['write.metadata.previous-versions-max'] ?? '', 10);
  return log.slice(-(Number.isNaN(wanted) ? PREVIOUS_VERSIONS_MAX : Math.max(1, wanted)));
}

async function writeMetadata(io: FileIO, metadata: TableMetadata, version: number): Promise<string> {
  const name = `${String(version).padStart(5, '0')}-${randomUUID()}.metadata.json`;
  const location = `${metadataFolder(metadata)}/${name}`;
  await io.write(location, Buffer.from(serializeTableMetadata(metadata)));
  return location;
}

/** The number before the dash in `00012-<uuid>.metadata.json`; -1 for other names, so that counting starts at 0. */
function versionOf(location: string): number {
  const digits = /(?:^|\/)v?(\d+)(?:-[^/]*)?\.metadata\.json$/.exec(location)?.[1];
  return digits === undefined ? -1 : Number(digits);
}
