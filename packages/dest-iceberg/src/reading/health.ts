import type { TableContents } from '@fjord/core';

type Facts = Pick<TableContents, 'files' | 'snapshots' | 'properties'>;
type Finding = TableContents['health'][number];

/** Iceberg's own default of `write.target-file-size-bytes`. */
const DEFAULT_TARGET_BYTES = 512 * 1024 * 1024;
/** A file below this share of the target is small; opening it costs readers about what reading it does. */
const SMALL_SHARE = 1 / 8;
/** Fewer small files than this cost nobody anything. */
const MANY_SMALL_FILES = 20;
/** Readers read deleted rows, too, and then drop them. */
const MANY_DELETED_SHARE = 0.1;
/** Every commit rewrites the list of snapshots. */
const MANY_SNAPSHOTS = 500;
/** Planning a scan opens each. */
const MANY_MANIFESTS = 200;

const COMPACT = 'Run `fjord maintain`: it compacts.';

/** What readers of a table would feel: small files, deleted rows, equality deletes, long histories. */
export function findHealth({ files, snapshots, properties }: Facts): Finding[] {
  const target = Number(properties['write.target-file-size-bytes'] ?? DEFAULT_TARGET_BYTES);
  const findings: (Finding | undefined)[] = [
    findSmallFiles(files, target),
    findDeletedRows(files),
    files.deletedKeys > 0
      ? {
          message: `${count(files.deletedKeys)} keys are deleted by value: each reader compares every older row with them, and some refuse to.`,
          fix: COMPACT,
        }
      : undefined,
    snapshots.length > MANY_SNAPSHOTS
      ? {
          message: `${count(snapshots.length)} snapshots are kept, and written anew with each commit.`,
          fix: 'Run `fjord maintain`: it expires old ones.',
        }
      : undefined,
    files.manifests > MANY_MANIFESTS
      ? {
          message: `${count(files.manifests)} manifests must be read to plan a scan.`,
          fix: 'Run `fjord maintain`: it rewrites them.',
        }
      : undefined,
  ];
  return findings.filter((finding) => finding !== undefined);
}

function findSmallFiles(files: Facts['files'], target: number): Finding | undefined {
  if (files.count < MANY_SMALL_FILES || files.medianBytes >= target * SMALL_SHARE) return undefined;
  // Few bytes in all need no more files than they have when these lie in as many partitions: the median tells of a typical one.
  const needed = Math.max(1, Math.ceil(files.bytes / target));
  return {
    message: `${count(files.count)} data files hold what would fit into ${count(needed)}: half of them are smaller than ${size(files.medianBytes)}.`,
    fix: COMPACT,
  };
}

function findDeletedRows(files: Facts['files']): Finding | undefined {
  const share = files.rows === 0 ? 0 : files.deletedPositions / files.rows;
  if (share <= MANY_DELETED_SHARE) return undefined;
  return {
    message: `${Math.round(share * 100)} % of the rows in the data files are deleted: readers read them and drop them.`,
    fix: COMPACT,
  };
}

const count = (number: number) => number.toLocaleString('en-US');
const size = (bytes: number) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
