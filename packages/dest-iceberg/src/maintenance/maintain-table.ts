import { availableParallelism } from 'node:os';
import {
  type Catalog,
  commitTable,
  findOrphans,
  findUnreachable,
  MAIN,
  planExpiry,
  snapshotOfRef,
  stageExpiry,
  stageManifestRewrite,
  type Table,
  type TableIdentifier,
} from '@fjord/iceberg';
import type { ParquetPool } from '../parquet/sink.ts';
import { STAGING_PREFIX } from '../pipeline-state.ts';
import { DeletedRows } from '../changes/deleted-rows.ts';
import type { KeyIndexes } from '../changes/key-indexes.ts';
import { type Compaction, compactTable, type InTurn, planTable } from './compact-table.ts';
import { gatherDeletes, type Gathering, planGathering } from './gather-deletes.ts';
import type { MaintenanceOptions } from './maintenance-config.ts';

/** What `maintainTable` works with. */
export type MaintenanceJob = {
  catalog: Catalog;
  identifier: TableIdentifier;
  pool: ParquetPool;
  /** By which equality deletes find their rows. */
  indexes: KeyIndexes;
  options: MaintenanceOptions;
  /** Where a table does not say its own target size. */
  targetFileBytes: number;
  /** Only say what would be done. */
  isDryRun?: boolean;
  /** Leave orphans alone: they take a listing of the whole table. */
  skipOrphans?: boolean;
  /** Work as it is done beside a sync: some of it at a time, on one core. */
  whileFollowing?: WhileFollowing | undefined;
  signal: AbortSignal;
};

/** How a table is maintained beside the sync that writes to it. */
export type WhileFollowing = {
  /** Does what commits, between the commits of the sync. */
  inTurn: InTurn;
  /** About so many bytes of files are rewritten at a time. */
  maxBytes: number;
};

/** What maintenance did with a table, or would do. */
export type MaintenanceReport = {
  compaction: Compaction;
  gathering: Gathering;
  /** Whether main's manifests were merged. */
  manifestsMerged: number;
  expiredSnapshots: number;
  /** Files that only expired snapshots referred to. */
  expiredFiles: number;
  orphans: string[];
  orphanBytes: number;
  /** Why the table's files and snapshots were left alone, if they were. */
  skipped?: string;
};

const HOUR_MS = 3_600_000;
/** Files deleted at once. */
const PARALLEL_DELETES = 16;
const NO_COMPACTION: Compaction = { files: 0, bytes: 0, into: 0, intoBytes: 0, abandonedFiles: 0 };
const NO_GATHERING: Gathering = { deleteFiles: 0, into: 0 };

/**
 * Keeps a table small and fast: rewrites small and mostly deleted files, puts deletes together, merges manifests, expires snapshots with the files that only they
 * refer to, and removes orphans. Safe beside any writer: each step is an optimistic commit of its own, which gives way to others' changes.
 * Undefined if there is no such table.
 */
export async function maintainTable(job: MaintenanceJob): Promise<MaintenanceReport | undefined> {
  const table = await job.catalog.loadTable(job.identifier);
  if (!table) return undefined;
  const skipped = whySkipped(table);
  const none = {
    compaction: NO_COMPACTION,
    gathering: NO_GATHERING,
    manifestsMerged: 0,
    expiredSnapshots: 0,
    expiredFiles: 0,
  };
  const changed = skipped === undefined ? await rewrite(job, table) : none;
  const orphans = job.skipOrphans ? [] : await removeOrphans(job);
  return {
    ...none,
    ...changed,
    orphans: orphans.map(({ location }) => location),
    orphanBytes: orphans.reduce((sum, { length }) => sum + length, 0),
    ...(skipped !== undefined && { skipped }),
  };
}

async function rewrite(job: MaintenanceJob, table: Table) {
  const compaction = await compact(job, table);
  job.signal.throwIfAborted();
  const gathering = await gather(job);
  job.signal.throwIfAborted();
  const manifestsMerged = job.isDryRun ? 0 : await mergeManifests(job);
  job.signal.throwIfAborted();
  return { compaction, gathering, manifestsMerged, ...(await expire(job)) };
}

/** A pipeline's swap takes the place of what main was when it began: nothing else may move there meanwhile (rule 16). */
function whySkipped({ metadata }: Table): string | undefined {
  if (metadata['format-version'] < 2) return 'its format version is 1';
  const staged = Object.keys(metadata.refs).find((name) => name.startsWith(STAGING_PREFIX));
  return staged === undefined ? undefined : `a new copy is being staged on branch ${staged}`;
}

async function compact(job: MaintenanceJob, table: Table): Promise<Compaction> {
  const { catalog, pool, options, targetFileBytes, whileFollowing, signal } = job;
  const head = snapshotOfRef(table.metadata, MAIN);
  if (!head) return NO_COMPACTION;
  const own = Number.parseInt(table.metadata.properties['write.target-file-size-bytes'] ?? '', 10);
  const { minInputFiles, deletedShare } = options;
  const chosen = {
    minInputFiles,
    deletedShare,
    targetBytes: own > 0 ? own : targetFileBytes,
    isGradual: whileFollowing !== undefined,
    maxBytes: whileFollowing?.maxBytes,
  };
  if (!job.isDryRun) {
    const deleted = new DeletedRows(job.indexes);
    const parallel = whileFollowing ? 1 : availableParallelism();
    const inTurn = inTurnOf(job);
    return compactTable({ catalog, table, pool, deleted, parallel, options: chosen, inTurn, signal }, head);
  }
  const groups = await planTable(table, chosen);
  const sources = groups.flatMap((group) => group.sources);
  const bytes = sources.reduce((sum, { file }) => sum + Number(file.fileSizeInBytes), 0);
  return { ...NO_COMPACTION, files: sources.length, bytes, into: groups.length };
}

/** After compaction: what that has rewritten has no deletes any more. */
async function gather(job: MaintenanceJob): Promise<Gathering> {
  const { catalog, identifier, options, signal } = job;
  const table = await catalog.loadTable(identifier);
  if (!table) return NO_GATHERING;
  const { minInputFiles: minDeleteFiles } = options;
  if (job.isDryRun) {
    const { files, deletes } = await planGathering(table, minDeleteFiles);
    return { deleteFiles: deletes, into: files.length };
  }
  const deleted = new DeletedRows(job.indexes);
  return gatherDeletes({ catalog, table, deleted, minDeleteFiles, inTurn: inTurnOf(job), signal });
}

const inTurnOf = ({ whileFollowing }: MaintenanceJob): InTurn => whileFollowing?.inTurn ?? ((work) => work());

async function mergeManifests(job: MaintenanceJob): Promise<number> {
  let merged = 0;
  const commit = () =>
    commitTable(job.catalog, job.identifier, async (table) => {
      const changes = await stageManifestRewrite(table);
      merged = changes?.replaced ?? 0;
      return changes;
    });
  await inTurnOf(job)(commit);
  return merged;
}

async function expire(job: MaintenanceJob): Promise<Pick<MaintenanceReport, 'expiredSnapshots' | 'expiredFiles'>> {
  const { catalog, identifier, options, isDryRun } = job;
  const ages = {
    maxSnapshotAgeMs: options.snapshotAgeHours * HOUR_MS,
    minSnapshotsToKeep: options.snapshotsToKeep,
    ...(job.whileFollowing && { maxSnapshotsToKeep: options.snapshotsWhileFollowing }),
  };
  const planOf = ({ metadata }: Table) => {
    const plan = planExpiry(metadata, ages);
    return { plan, gone: metadata.snapshots.filter((snapshot) => plan.snapshotIds.includes(snapshot['snapshot-id'])) };
  };
  let before = await catalog.loadTable(identifier);
  if (!before) return { expiredSnapshots: 0, expiredFiles: 0 };
  if (isDryRun) {
    const { gone } = planOf(before);
    const metadata = { ...before.metadata, snapshots: before.metadata.snapshots.filter((one) => !gone.includes(one)) };
    return { expiredSnapshots: gone.length, expiredFiles: (await unreachable({ ...before, metadata }, gone)).length };
  }
  const commit = () =>
    commitTable(catalog, identifier, (table) => {
      before = table;
      const { plan } = planOf(table);
      return plan.snapshotIds.length + plan.refs.length === 0 ? undefined : stageExpiry(table, plan);
    });
  const after = await inTurnOf(job)(commit);
  const kept = new Set(after.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']));
  const gone = before.metadata.snapshots.filter((snapshot) => !kept.has(snapshot['snapshot-id']));
  if (gone.length === 0) return { expiredSnapshots: 0, expiredFiles: 0 };
  const files = await unreachable(after, gone);
  await deleteAll(after, files);
  return { expiredSnapshots: gone.length, expiredFiles: files.length };
}

/** Data before the manifests that name it: what a crash leaves can still be told from what is in use, as orphans. */
async function unreachable(table: Table, gone: Table['metadata']['snapshots']): Promise<string[]> {
  const { dataFiles, deleteFiles, manifests, manifestLists } = await findUnreachable(table, gone);
  return [...dataFiles, ...deleteFiles, ...manifests, ...manifestLists];
}

async function removeOrphans({ catalog, identifier, options, isDryRun }: MaintenanceJob) {
  const load = async () => {
    const table = await catalog.loadTable(identifier);
    if (table) return table;
    throw new Error('a table was dropped while it was maintained');
  };
  const table = await load();
  const olderThanMs = Date.now() - options.orphanAgeHours * HOUR_MS;
  const orphans = await findOrphans(table, load, { olderThanMs });
  if (!isDryRun) {
    await deleteAll(
      table,
      orphans.map(({ location }) => location),
    );
  }
  return orphans;
}

async function deleteAll({ io }: Table, locations: readonly string[]): Promise<void> {
  for (let first = 0; first < locations.length; first += PARALLEL_DELETES) {
    await Promise.all(locations.slice(first, first + PARALLEL_DELETES).map((location) => io.delete(location)));
  }
}
