import type { Table } from './catalog.ts';
import { IcebergError } from './errors.ts';
import type { ListedFile } from './file-io.ts';
import { metadataFolder } from './location.ts';
import { mapAhead } from './map-ahead.ts';
import { NO_METRICS, readManifest } from './manifest.ts';
import { readTableMetadata } from './metadata-file.ts';
import { manifestsOf } from './snapshot-expiry.ts';

/** Options of `findOrphans`. */
export interface OrphanOptions {
  /** Files changed since are left out: a writer may be about to commit them. */
  readonly olderThanMs: number;
}

/** Manifests read at once. */
const MANIFESTS_AHEAD = 8;
const METADATA_FILE = /^(.*)\/[^/]*\.metadata\.json(?:\.gz)?$/;

/**
 * The files below a table's location that no snapshot, and nothing in its metadata, refers to: what crashes and failed commits left. Files of tables
 * that lie within are left out; one whose location another table shares is refused (`unsupported`). `reload` gives the table as it is after the listing.
 */
export async function findOrphans(
  table: Table,
  reload: () => Promise<Table>,
  { olderThanMs }: OrphanOptions,
): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  const nested = new Set<string>();
  const own = pathKey(metadataFolder(table.metadata));
  for await (const file of table.io.list(table.location)) {
    const folder = METADATA_FILE.exec(pathKey(file.location))?.[1];
    if (folder !== undefined && folder !== own) nested.add(folder.replace(/\/metadata$/, ''));
    if (file.modifiedAtMs < olderThanMs) found.push(file);
  }
  if (found.length === 0) return [];
  // What was committed while files were listed is in the table by now.
  const current = await reload();
  const referenced = await referencedPaths(current);
  const orphans = found.filter(({ location }) => {
    const path = pathKey(location);
    if (path.endsWith('/version-hint.text') || referenced.has(path)) return false;
    return ![...nested].some((folder) => path.startsWith(`${folder}/`));
  });
  for (const { location } of orphans) if (METADATA_FILE.test(location)) await requireOwn(current, location);
  return orphans;
}

/** Locations as one text for one file, however its scheme is written. */
export function pathKey(location: string): string {
  return location
    .replace(/^file:(?:\/\/)?(?=\/)/i, '')
    .replace(/^s3[an]:\/\//i, 's3://')
    .replace(/^(?:abfss?|wasbs?):\/\/([^@/]+)@([^./]+)\.[^/]*/i, 'azure://$1@$2')
    .replace(/(?<!:)\/{2,}/g, '/');
}

async function referencedPaths(table: Table): Promise<Set<string>> {
  const { io, metadata, metadataLocation } = table;
  const paths = new Set([pathKey(metadataLocation)]);
  // Whatever the metadata names: its log, manifest lists, files of statistics.
  addTexts(metadata, paths);
  const manifests = await manifestsOf(table, metadata.snapshots);
  for (const path of manifests.keys()) paths.add(pathKey(path));
  for await (const { entries } of mapAhead([...manifests.values()], MANIFESTS_AHEAD, (line) =>
    readManifest(io, line, { metricsOf: NO_METRICS }),
  )) {
    for (const { status, file } of entries) if (status !== 'deleted') paths.add(pathKey(file.filePath));
  }
  return paths;
}

function addTexts(value: unknown, texts: Set<string>): void {
  if (typeof value === 'string') texts.add(pathKey(value));
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) addTexts(inner, texts);
}

async function requireOwn({ io, metadata, location }: Table, metadataLocation: string): Promise<void> {
  const other = await readTableMetadata(io, metadataLocation).catch(() => undefined);
  if (other === undefined || other['table-uuid'] === metadata['table-uuid']) return;
  throw new IcebergError(
    'unsupported',
    `Another table keeps files in ${location}, too (${metadataLocation}): which are orphans cannot be told.`,
  );
}
