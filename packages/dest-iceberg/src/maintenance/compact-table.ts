import {
  type Catalog,
  commitTable,
  type DataFile,
  isIcebergError,
  NO_METRICS,
  planFiles,
  type ScanFile,
  type Snapshot,
  stageRewrites,
  type Table,
} from '@fjord/iceberg';
import type { DeletedRows } from '../changes/deleted-rows.ts';
import type { ParquetPool } from '../parquet/sink.ts';
import { carryDeletes } from './carry-deletes.ts';
import { type CompactionGroup, type CompactionOptions, planCompaction } from './plan-compaction.ts';
import { type FileRewrite, rewriteFiles } from './rewrite-files.ts';

/** What became of the data files of a table. */
export type Compaction = { files: number; bytes: number; into: number; intoBytes: number; abandonedFiles: number };

/** What compaction works with. */
export type CompactionJob = {
  catalog: Catalog;
  table: Table;
  pool: ParquetPool;
  /** Which rows are deleted: read while groups are rewritten, and again before they are committed. */
  deleted: DeletedRows;
  /** Groups that are rewritten at once. */
  parallel: number;
  options: CompactionOptions;
  /** Does what commits, when its turn has come. */
  inTurn: InTurn;
  signal: AbortSignal;
};

/** Does work when no commit of this process to the same table is under way. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A commit is made when so many bytes have been rewritten: what others change meanwhile costs at most this. */
const COMMIT_BYTES = 2 ** 30;

/** The groups of a table's files that are worth rewriting. */
export function planTable(table: Table, options: CompactionOptions): Promise<CompactionGroup[]> {
  return planCompaction(planFiles(table, { metricsOf: NO_METRICS }), options);
}

/**
 * Rewrites small and mostly deleted files of main, in commits of a gigabyte. Rows that are deleted meanwhile are deleted from the new files; a group
 * of which a file was removed meanwhile is given up.
 */
export async function compactTable(job: CompactionJob, head: Snapshot): Promise<Compaction> {
  const groups = await planTable(job.table, job.options);
  const tools = { ...job, deleted: { of: (scanned: ScanFile) => job.deleted.of(job.table, scanned) } };
  const total: Compaction = { files: 0, bytes: 0, into: 0, intoBytes: 0, abandonedFiles: 0 };
  let done: FileRewrite[] = [];
  let bytes = 0;
  for (let first = 0; first < groups.length; first += job.parallel) {
    const some = groups.slice(first, first + job.parallel);
    const rewritten = await Promise.allSettled(some.map((group) => rewriteFiles(group, tools)));
    done.push(...rewritten.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [])));
    const failed = rewritten.find((outcome) => outcome.status === 'rejected');
    bytes += some.reduce((sum, group) => sum + group.bytes, 0);
    if (failed === undefined && bytes < COMMIT_BYTES && first + job.parallel < groups.length) continue;
    add(total, await commitRewrites(job, done, head['sequence-number']));
    if (failed) throw failed.reason;
    done = [];
    bytes = 0;
  }
  return total;
}

async function commitRewrites(
  job: CompactionJob,
  rewrites: FileRewrite[],
  sequenceNumber: bigint,
): Promise<Compaction> {
  const { catalog, table, deleted, inTurn } = job;
  let abandoned: ReadonlySet<unknown> = new Set();
  const commit = () =>
    commitTable(catalog, table.identifier, async (fresh) => {
      const staged = await stageRewrites(fresh, rewrites, {
        sequenceNumber,
        summary: { 'fjord.maintenance': 'compaction' },
        carryDeletes: async (staged, now) => {
          const rewrite = rewrites.find((each) => each === staged);
          return rewrite && carryDeletes(fresh, { rewrite, now, deleted });
        },
      });
      abandoned = new Set(staged.abandoned);
      return staged.changes.snapshotId === undefined ? undefined : staged.changes;
    });
  try {
    await inTurn(commit);
  } catch (error) {
    // A commit in doubt may yet be found to have happened: its files stay until they are orphans by age.
    if (isIcebergError(error, 'commit_conflict')) await deleteFiles(table, filesOf(rewrites));
    throw error;
  }
  await deleteFiles(table, filesOf(rewrites.filter((rewrite) => abandoned.has(rewrite))));
  const kept = rewrites.filter((rewrite) => !abandoned.has(rewrite));
  const sources = (some: readonly FileRewrite[]) => some.flatMap((rewrite) => rewrite.sources.map(({ file }) => file));
  return {
    files: sources(kept).length,
    bytes: sizeOf(sources(kept)),
    into: filesOf(kept).length,
    intoBytes: sizeOf(filesOf(kept)),
    abandonedFiles: sources(rewrites).length - sources(kept).length,
  };
}

/** Files of a table that nothing refers to; one that stays is an orphan. */
export async function deleteFiles({ io }: Table, files: readonly DataFile[]): Promise<void> {
  await Promise.allSettled(files.map(({ filePath }) => io.delete(filePath)));
}

const filesOf = (rewrites: readonly FileRewrite[]) => rewrites.flatMap(({ files }) => files);
const sizeOf = (files: readonly DataFile[]) => files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0);

function add(total: Compaction, more: Compaction): void {
  for (const name of ['files', 'bytes', 'into', 'intoBytes', 'abandonedFiles'] as const) total[name] += more[name];
}
