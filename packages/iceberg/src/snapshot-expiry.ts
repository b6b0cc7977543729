import type { Table, TableChanges } from './catalog.ts';
import { isDataFile } from './data-file.ts';
import { mapAhead } from './map-ahead.ts';
import { NO_METRICS, readManifest } from './manifest.ts';
import { type ManifestFile, readManifestList } from './manifest-list.ts';
import { ancestorsOf } from './snapshot-history.ts';
import { MAIN, type Snapshot, type SnapshotRef } from './snapshot.ts';
import type { TableMetadata } from './table-metadata.ts';
import type { TableRequirement } from './table-requirement.ts';
import type { TableUpdate } from './table-update.ts';

/** How long snapshots are kept, where neither a branch nor the table's properties (`history.expire.*`) say otherwise. */
export interface ExpiryOptions {
  readonly maxSnapshotAgeMs: number;
  /** Snapshots of each branch that are kept whatever their age; at least its head is. */
  readonly minSnapshotsToKeep: number;
  /** Snapshots of each branch that are kept at most, whatever their age, unless the table or the branch says how long; no bound unless said. */
  readonly maxSnapshotsToKeep?: number | undefined;
  /** The time that ages are counted from: now unless said. */
  readonly nowMs?: number | undefined;
}

/** Snapshots and references that are past their time. */
export interface ExpiredSnapshots {
  readonly snapshotIds: readonly bigint[];
  readonly refs: readonly string[];
}

/** What a snapshot is held by and nothing else is any more. */
export interface UnreachableFiles {
  readonly manifestLists: readonly string[];
  readonly manifests: readonly string[];
  readonly dataFiles: readonly string[];
  readonly deleteFiles: readonly string[];
}

/** Manifests read at once. */
const MANIFESTS_AHEAD = 8;

/**
 * The snapshots that are past their time: of each branch those older than its age and beyond its count (spec: Snapshot Retention Policy), and
 * those that no reference leads to, by age. References other than main end where they or the table say so. Tags keep their snapshot.
 */
export function planExpiry(metadata: TableMetadata, options: ExpiryOptions): ExpiredSnapshots {
  const nowMs = options.nowMs ?? Date.now();
  const times = new Map(metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot['timestamp-ms']]));
  const ageOf = (id: bigint) => nowMs - (times.get(id) ?? nowMs);
  const ownMaxAge = numberOf(metadata, 'history.expire.max-snapshot-age-ms');
  const maxAge = ownMaxAge ?? options.maxSnapshotAgeMs;
  const maxCount = ownMaxAge === undefined ? (options.maxSnapshotsToKeep ?? Infinity) : Infinity;
  const minCount = numberOf(metadata, 'history.expire.min-snapshots-to-keep') ?? options.minSnapshotsToKeep;
  const maxRefAge = numberOf(metadata, 'history.expire.max-ref-age-ms') ?? Infinity;
  const isOver = ([name, ref]: [string, SnapshotRef]) =>
    name !== MAIN && ageOf(ref['snapshot-id']) > (ref['max-ref-age-ms'] ?? maxRefAge);
  const all = Object.entries(metadata.refs);
  const refs = all.filter(isOver).map(([name]) => name);
  const kept = new Set<bigint>();
  const reached = new Set<bigint>();
  for (const [name, ref] of all.filter((entry) => !isOver(entry))) {
    const [age, count] = [ref['max-snapshot-age-ms'] ?? maxAge, ref['min-snapshots-to-keep'] ?? minCount];
    const most = ref['max-snapshot-age-ms'] === undefined ? maxCount : Infinity;
    const history = [...ancestorsOf(metadata, name)];
    for (const id of history) reached.add(id);
    const own =
      ref.type === 'tag'
        ? history.slice(0, 1)
        : history.filter((id, at) => at < Math.max(1, count) || (at < most && ageOf(id) <= age));
    for (const id of own) kept.add(id);
  }
  for (const id of times.keys()) if (!reached.has(id) && ageOf(id) <= maxAge) kept.add(id);
  return { refs, snapshotIds: [...times.keys()].filter((id) => !kept.has(id)) };
}

/** Stages the removal of snapshots and references from the table's metadata; it conflicts with a commit that moves any reference. */
export function stageExpiry({ metadata }: Table, { refs, snapshotIds }: ExpiredSnapshots): TableChanges {
  const updates: TableUpdate[] = refs.map((name) => ({ action: 'remove-snapshot-ref', 'ref-name': name }));
  if (snapshotIds.length > 0) updates.push({ action: 'remove-snapshots', 'snapshot-ids': snapshotIds });
  const heads = Object.entries(metadata.refs).map(([ref, { 'snapshot-id': id }]): TableRequirement => ({
    type: 'assert-ref-snapshot-id',
    ref,
    'snapshot-id': id,
  }));
  return { updates, requirements: [{ type: 'assert-table-uuid', uuid: metadata['table-uuid'] }, ...heads] };
}

/** The files that only these snapshots of an earlier state of the table refer to. Any that a snapshot of `table` refers to is left out. */
export async function findUnreachable(table: Table, expired: readonly Snapshot[]): Promise<UnreachableFiles> {
  const { io, metadata } = table;
  const keptLists = new Set(metadata.snapshots.map((snapshot) => snapshot['manifest-list']));
  const kept = await manifestsOf(table, metadata.snapshots);
  const gone = await manifestsOf(table, expired);
  for (const path of kept.keys()) gone.delete(path);
  const bare = (line: ManifestFile) => readManifest(io, line, { metricsOf: NO_METRICS });
  const files = new Map<string, boolean>();
  for await (const { entries } of mapAhead([...gone.values()], MANIFESTS_AHEAD, bare)) {
    for (const { file } of entries) files.set(file.filePath, isDataFile(file));
  }
  if (files.size > 0) {
    for await (const { entries } of mapAhead([...kept.values()], MANIFESTS_AHEAD, bare)) {
      for (const { status, file } of entries) if (status !== 'deleted') files.delete(file.filePath);
    }
  }
  const named = [...files];
  return {
    manifestLists: expired.map((snapshot) => snapshot['manifest-list']).filter((path) => !keptLists.has(path)),
    manifests: [...gone.keys()],
    dataFiles: named.filter(([, isData]) => isData).map(([path]) => path),
    deleteFiles: named.filter(([, isData]) => !isData).map(([path]) => path),
  };
}

/** The manifests of snapshots by their path. */
export async function manifestsOf({ io }: Table, snapshots: readonly Snapshot[]): Promise<Map<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>();
  for await (const lines of mapAhead(snapshots, MANIFESTS_AHEAD, (snapshot) => readManifestList(io, snapshot))) {
    for (const line of lines) manifests.set(line.path, line);
  }
  return manifests;
}

function numberOf({ properties }: TableMetadata, name: string): number | undefined {
  const value = Number.parseInt(properties[name] ?? '', 10);
  return value >= 0 ? value : undefined;
}
