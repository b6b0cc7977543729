import { type DataFile, isDataFile } from './data-file.ts';
import type { Operation, Snapshot, Summary } from './snapshot.ts';

/** Counts over files, in the categories of a snapshot summary. */
export interface Tally {
  readonly dataFiles: bigint;
  readonly records: bigint;
  readonly filesSize: bigint;
  readonly deleteFiles: bigint;
  readonly positionDeletes: bigint;
  readonly equalityDeletes: bigint;
}

/** The tally of no files. */
export const NOTHING: Tally = {
  dataFiles: 0n,
  records: 0n,
  filesSize: 0n,
  deleteFiles: 0n,
  positionDeletes: 0n,
  equalityDeletes: 0n,
};

/** Name of each count in a summary, after `added-`, `deleted-` or `removed-`, and `total-`. */
const FIELDS = [
  { count: 'dataFiles', name: 'data-files', removed: 'deleted' },
  { count: 'records', name: 'records', removed: 'deleted' },
  { count: 'filesSize', name: 'files-size', removed: 'removed' },
  { count: 'deleteFiles', name: 'delete-files', removed: 'removed' },
  { count: 'positionDeletes', name: 'position-deletes', removed: 'removed' },
  { count: 'equalityDeletes', name: 'equality-deletes', removed: 'removed' },
] as const satisfies readonly { count: keyof Tally; name: string; removed: string }[];

/** Counts files. */
export function tallyFiles(files: Iterable<DataFile>): Tally {
  let tally = NOTHING;
  for (const file of files) tally = plus(tally, tallyFile(file));
  return tally;
}

/** The sum of two tallies. */
export function plus(a: Tally, b: Tally): Tally {
  return combine((count) => a[count] + b[count]);
}

/** The totals that a snapshot's summary states; undefined if it does not state them all. No snapshot has totals of 0. */
export function totalsOf(snapshot: Snapshot | undefined): Tally | undefined {
  if (!snapshot) return NOTHING;
  const totals = FIELDS.map(({ name }) => snapshot.summary?.[`total-${name}`]);
  if (!totals.every((total) => total !== undefined && /^\d+$/.test(total))) return undefined;
  return combine((count) => BigInt(totals[FIELDS.findIndex((field) => field.count === count)] ?? 0));
}

/** A summary of what was added and removed on top of `before`; totals are left out where those before are not known. */
export function summarize(
  operation: Operation,
  { before, added, removed }: { before: Tally | undefined; added: Tally; removed: Tally },
): Summary {
  const summary: { operation: Operation; [key: string]: string } = { operation };
  for (const field of FIELDS) {
    if (added[field.count] > 0n) summary[`added-${field.name}`] = String(added[field.count]);
    if (removed[field.count] > 0n) summary[`${field.removed}-${field.name}`] = String(removed[field.count]);
    if (before)
      summary[`total-${field.name}`] = String(before[field.count] + added[field.count] - removed[field.count]);
  }
  return summary;
}

function tallyFile(file: DataFile): Tally {
  const filesSize = file.fileSizeInBytes;
  if (isDataFile(file)) return { ...NOTHING, filesSize, dataFiles: 1n, records: file.recordCount };
  const count = file.content === 'position-deletes' ? 'positionDeletes' : 'equalityDeletes';
  return { ...NOTHING, filesSize, deleteFiles: 1n, [count]: file.recordCount };
}

function combine(value: (count: keyof Tally) => bigint): Tally {
  return {
    dataFiles: value('dataFiles'),
    records: value('records'),
    filesSize: value('filesSize'),
    deleteFiles: value('deleteFiles'),
    positionDeletes: value('positionDeletes'),
    equalityDeletes: value('equalityDeletes'),
  };
}
