import {
  type Catalog,
  commitTable,
  type DataFile,
  type GatheredDeletes,
  isIcebergError,
  listDeleteFiles,
  NO_METRICS,
  planFiles,
  type ScanFile,
  stageDeleteRewrite,
  type Table,
  writeRowDeletes,
} from '@fjord/iceberg';
import type { DeletedRows } from '../changes/deleted-rows.ts';
import { deleteFiles, type InTurn } from './compact-table.ts';
import { isReadable } from './plan-compaction.ts';

/** What became of the delete files of a table. */
export type Gathering = { deleteFiles: number; into: number };

/** What gathering works with. */
export type GatherJob = {
  catalog: Catalog;
  table: Table;
  deleted: DeletedRows;
  /** So many delete files of a data file are put together. */
  minDeleteFiles: number;
  inTurn: InTurn;
  signal: AbortSignal;
};

/** A data file's own deletes are written anew once others may add this share to them, or there are `MANY` times as many files as would do. */
const GROWTH_SHARE = 1 / 4;
const MANY = 4;

/** What is to be gathered: `files` are data files whose deletes are spread over too many, with all others that share such a file. */
export type GatheringPlan = { files: ScanFile[]; deletes: number };

/** Plans gathering; `deletes` counts the delete files of these data files, and those that apply to no data file any more. */
export async function planGathering(table: Table, minDeleteFiles: number): Promise<GatheringPlan> {
  const scanned: ScanFile[] = [];
  const due = new Set<string>();
  const used = new Set<string>();
  for await (const each of planFiles(table, { metricsOf: NO_METRICS })) {
    for (const { filePath } of each.deletes) used.add(filePath);
    if (each.deletes.length === 0 || !isReadable(each)) continue;
    scanned.push(each);
    if (isDue(each, minDeleteFiles)) for (const { filePath } of each.deletes) due.add(filePath);
  }
  const files = scanned.filter(({ deletes }) => deletes.some(({ filePath }) => due.has(filePath)));
  const going = new Set(files.flatMap(({ deletes }) => deletes.map(({ filePath }) => filePath)));
  for await (const { filePath } of listDeleteFiles(table)) if (!used.has(filePath)) going.add(filePath);
  return { files, deletes: going.size };
}

/**
 * Puts the deletes of data files together, each file's into one position delete file or deletion vector of its own: equality deletes become
 * positions, too. Rows stay the same, and what is deleted meanwhile stays deleted.
 */
export async function gatherDeletes(job: GatherJob): Promise<Gathering> {
  const { catalog, table, deleted, inTurn, signal } = job;
  const gathered: GatheredDeletes[] = [];
  const written = () => gathered.flatMap(({ deletes }) => deletes ?? []);
  const result: Gathering = { deleteFiles: 0, into: 0 };
  let unused: readonly DataFile[] = [];
  const commit = () =>
    commitTable(catalog, table.identifier, async (fresh) => {
      const staged = await stageDeleteRewrite(fresh, gathered, { summary: { 'fjord.maintenance': 'deletes' } });
      unused = staged?.unused ?? written();
      result.deleteFiles = staged?.removed ?? 0;
      return staged?.changes;
    });
  try {
    const { files, deletes } = await planGathering(table, job.minDeleteFiles);
    if (deletes === 0) return result;
    for (const source of files) {
      signal.throwIfAborted();
      gathered.push({ source, deletes: await gatherOne(table, source, deleted) });
    }
    await inTurn(commit);
  } catch (error) {
    // A commit in doubt may yet be found to have happened: its files stay until they are orphans by age.
    if (signal.aborted || isIcebergError(error, 'commit_conflict')) await deleteFiles(table, written());
    throw error;
  }
  await deleteFiles(table, unused);
  return { ...result, into: written().length - unused.length };
}

async function gatherOne(table: Table, source: ScanFile, deleted: DeletedRows): Promise<DataFile | undefined> {
  const positions = await deleted.of(table, source);
  const { append } = await writeRowDeletes(table, [{ scanFile: source, positions }]);
  return append[0];
}

function isDue({ file, deletes }: ScanFile, minDeleteFiles: number): boolean {
  if (deletes.length < minDeleteFiles) return false;
  const isOwn = ({ referencedDataFile }: DataFile) => referencedDataFile === file.filePath;
  const rows = (some: readonly DataFile[]) => some.reduce((sum, { recordCount }) => sum + Number(recordCount), 0);
  const own = deletes.filter(isOwn);
  const others = rows(deletes.filter((each) => !isOwn(each)));
  return own.length > 1 || others >= rows(own) * GROWTH_SHARE || deletes.length >= MANY * minDeleteFiles;
}
