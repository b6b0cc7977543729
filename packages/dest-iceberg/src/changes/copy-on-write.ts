import { type DataFile, PositionSet, type RowDeletes, type ScanFile, type Table } from '@fjord/iceberg';
import { Limit } from '../limit.ts';
import { rewriteFiles } from '../maintenance/rewrite-files.ts';
import type { ParquetPool } from '../parquet/sink.ts';

/** Files that take the place of others: `append` has the rows that stay of those in `gone`, which names delete files besides. */
export type Rewritten = { append: DataFile[]; gone: ReadonlySet<string> };

/** Files rewritten at once: each holds a row group of what it reads. */
const PARALLEL_FILES = 4;
const NEVER = new AbortController().signal;

/**
 * Takes rows out of data files by writing these anew without them, and without what was deleted before; `live` are all live files. On any
 * fault what was written is deleted.
 */
export async function rewriteWithout(
  table: Table,
  deletes: readonly RowDeletes[],
  { pool, live }: { pool: ParquetPool; live: readonly ScanFile[] },
): Promise<Rewritten> {
  const hit = deletes.filter(({ positions }) => positions.size > 0);
  const limit = new Limit(PARALLEL_FILES);
  const outcomes = await Promise.allSettled(hit.map((each) => limit.run(() => rewriteOne(table, each, pool))));
  const append = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await Promise.allSettled(append.map(({ filePath }) => table.io.delete(filePath)));
    throw failed.reason;
  }
  const gone = new Set(hit.map(({ scanFile }) => scanFile.file.filePath));
  for (const path of aboutNoOther(live, gone)) gone.add(path);
  return { append, gone };
}

async function rewriteOne(
  table: Table,
  { scanFile, positions, earlier }: RowDeletes,
  pool: ParquetPool,
): Promise<DataFile[]> {
  const dead = new PositionSet();
  dead.addAll(positions);
  if (earlier) dead.addAll(earlier);
  const deleted = { of: () => Promise.resolve(dead) };
  const rewritten = await rewriteFiles({ sources: [scanFile], bytes: 0 }, { table, pool, deleted, signal: NEVER });
  return rewritten.flatMap(({ files }) => files);
}

/** Position deletes and deletion vectors that are about none but these data files. Deletes by key may be about files to come. */
function aboutNoOther(live: readonly ScanFile[], gone: ReadonlySet<string>): Set<string> {
  const [about, needed] = [new Set<string>(), new Set<string>()];
  for (const { file, deletes } of live) {
    const set = gone.has(file.filePath) ? about : needed;
    for (const each of deletes) if (each.content !== 'equality-deletes') set.add(each.filePath);
  }
  return about.difference(needed);
}
