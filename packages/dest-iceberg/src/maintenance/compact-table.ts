import {
  type Catalog,
  commitTable,
  type DataFile,
  defaultSpec,
  isIcebergError,
  planFiles,
  type Rewrite,
  type Snapshot,
  stageRewrites,
  type Table,
} from '@fjord/iceberg';
import type { ParquetPool } from '../parquet/sink.ts';
import { DeletedPositions } from './deleted-positions.ts';
import { type CompactionGroup, type CompactionOptions, planCompaction } from './plan-compaction.ts';
import { rewriteFiles } from './rewrite-files.ts';

/** What became of the data files of a table. */
export type Compaction = { files: number; bytes: number; into: number; intoBytes: number; abandonedFiles: number };

/** What compaction works with. */
export type CompactionJob = {
  catalog: Catalog;
  table: Table;
  pool: ParquetPool;
  /** Groups that are rewritten at once. */
  parallel: number;
  options: CompactionOptions;
  signal: AbortSignal;
};

/** A commit is made when so many bytes have been rewritten: what others change meanwhile costs at most this. */
const COMMIT_BYTES = 2 ** 30;

/** The groups of a table's files that are worth rewriting. Files that equality deletes apply to are left out: those need their order. */
export function planTable(table: Table, options: CompactionOptions): Promise<CompactionGroup[]> {
  return planCompaction(withoutEquality(table), { options, specId: defaultSpec(table.metadata)['spec-id'] });
}

/** Rewrites small and mostly deleted files of main, in commits of a gigabyte. What others change meanwhile is theirs: such a group is given up. */
export async function compactTable(job: CompactionJob, head: Snapshot): Promise<Compaction> {
  const { table, options } = job;
  const groups = await planTable(table, options);
  const deleted = new DeletedPositions(table);
  const total: Compaction = { files: 0, bytes: 0, into: 0, intoBytes: 0, abandonedFiles: 0 };
  let done: Rewrite[] = [];
  let bytes = 0;
  for (let first = 0; first < groups.length; first += job.parallel) {
    const some = groups.slice(first, first + job.parallel);
    const rewritten = await Promise.allSettled(
      some.map(async (group) => ({ sources: group.sources, files: await rewriteFiles(group, { ...job, deleted }) })),
    );
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

async function commitRewrites(job: CompactionJob, rewrites: Rewrite[], sequenceNumber: bigint): Promise<Compaction> {
  const { catalog, table } = job;
  let abandoned: readonly Rewrite[] = [];
  try {
    await commitTable(catalog, table.identifier, async (fresh) => {
      const staged = await stageRewrites(fresh, rewrites, {
        sequenceNumber,
        summary: { 'fjord.maintenance': 'compaction' },
      });
      ({ abandoned } = staged);
      return staged.changes.snapshotId === undefined ? undefined : staged.changes;
    });
  } catch (error) {
    // A commit in doubt may yet be found to have happened: its files stay until they are orphans by age.
    if (isIcebergError(error, 'commit_conflict')) await deleteFiles(table, filesOf(rewrites));
    throw error;
  }
  await deleteFiles(table, filesOf(abandoned));
  const kept = rewrites.filter((rewrite) => !abandoned.includes(rewrite));
  const sources = (some: readonly Rewrite[]) => some.flatMap((rewrite) => rewrite.sources.map(({ file }) => file));
  return {
    files: sources(kept).length,
    bytes: sizeOf(sources(kept)),
    into: filesOf(kept).length,
    intoBytes: sizeOf(filesOf(kept)),
    abandonedFiles: sources(abandoned).length,
  };
}

async function* withoutEquality(table: Table) {
  for await (const scanned of planFiles(table)) {
    if (scanned.deletes.every(({ content }) => content !== 'equality-deletes')) yield scanned;
  }
}

async function deleteFiles({ io }: Table, files: readonly DataFile[]): Promise<void> {
  await Promise.allSettled(files.map(({ filePath }) => io.delete(filePath)));
}

const filesOf = (rewrites: readonly Rewrite[]) => rewrites.flatMap(({ files }) => files);
const sizeOf = (files: readonly DataFile[]) => files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0);

function add(total: Compaction, more: Compaction): void {
  for (const name of ['files', 'bytes', 'into', 'intoBytes', 'abandonedFiles'] as const) total[name] += more[name];
}
