import { type DataFile, partitionKey, type ScanFile } from '@fjord/iceberg';

/** When files are rewritten. */
export type CompactionOptions = {
  targetBytes: number;
  /** So many small files are worth a rewrite. */
  minInputFiles: number;
  /** A file with a larger share of deleted rows is. */
  deletedShare: number;
  /** Small files are left alone that are larger than all smaller ones together: each row then moves into a file of twice the size, a few times in all. */
  isGradual?: boolean | undefined;
  /** Files of about so many bytes are rewritten at most, the smallest groups first; what is left waits for the next time. */
  maxBytes?: number | undefined;
};

/** Files to be rewritten as one, or as few as the target size allows. They share spec, partition, folder and kind. */
export type CompactionGroup = { sources: ScanFile[]; bytes: number };

/** A file that is larger than this share of the target is left as it is. */
const SMALL_SHARE = 0.75;
/** Begins the names of files that hold changes: they must stay apart from copied rows, which are told by their names. */
const CHANGES = /^changes-g\d+/;

/**
 * Chooses the files that are worth rewriting and packs those of a partition into groups of about the target size: enough small files, or files
 * of which too much is deleted. Those of older partition specs stay in theirs.
 */
export async function planCompaction(
  files: AsyncIterable<ScanFile> | Iterable<ScanFile>,
  options: CompactionOptions,
): Promise<CompactionGroup[]> {
  const partitions = new Map<string, ScanFile[]>();
  for await (const scanned of files) {
    const { file } = scanned;
    if (!isReadable(scanned)) continue;
    if (!isSmall(file, options) && !isMostlyDeleted(scanned, options)) continue;
    const key = [partitionKey(scanned.specId, file.partition), folderOf(file), kindOf(file)].join('\n');
    const own = partitions.get(key) ?? [];
    own.push(scanned);
    partitions.set(key, own);
  }
  const groups = [...partitions.values()].flatMap((candidates) => packFiles(chosenOf(candidates, options), options));
  return withinBytes(groups, options.maxBytes ?? Infinity);
}

/** Whether rows of a file can be read, and what deletes of them. */
export function isReadable({ file, deletes }: ScanFile): boolean {
  if (file.fileFormat !== 'PARQUET' || file.keyMetadata) return false;
  return deletes.every(({ fileFormat, keyMetadata }) => ['PARQUET', 'PUFFIN'].includes(fileFormat) && !keyMetadata);
}

/** What the names of a group's new files begin with: they lie where its files lie, and are of the same kind. */
export function prefixOf({ sources }: CompactionGroup): string {
  const path = sources[0]?.file.filePath ?? '';
  const kind = CHANGES.exec(path.slice(path.lastIndexOf('/') + 1))?.[0];
  return `${path.slice(0, path.lastIndexOf('/'))}/${kind === undefined ? '' : `${kind}-`}compacted`;
}

function chosenOf(candidates: readonly ScanFile[], options: CompactionOptions): readonly ScanFile[] {
  if (!options.isGradual) return candidates;
  const deleted = candidates.filter((scanned) => isMostlyDeleted(scanned, options));
  const small = candidates
    .filter((scanned) => !deleted.includes(scanned))
    .toSorted((a, b) => liveBytes(a) - liveBytes(b));
  let [count, bytes] = [0, 0];
  for (const [index, scanned] of small.entries()) {
    if (liveBytes(scanned) <= bytes) count = index + 1;
    bytes += liveBytes(scanned);
  }
  return [...small.slice(0, count), ...deleted];
}

/** At least one group, that there is progress. */
function withinBytes(groups: readonly CompactionGroup[], maxBytes: number): CompactionGroup[] {
  let left = maxBytes;
  return groups
    .toSorted((a, b) => a.bytes - b.bytes)
    .filter((group, index) => {
      const isTaken = index === 0 || group.bytes <= left;
      if (isTaken) left -= group.bytes;
      return isTaken;
    });
}

function packFiles(candidates: readonly ScanFile[], options: CompactionOptions): CompactionGroup[] {
  const groups: CompactionGroup[] = [];
  let group: CompactionGroup = { sources: [], bytes: 0 };
  // Rows stay near those that came at the same time.
  for (const scanned of candidates.toSorted((a, b) => Number(a.sequenceNumber - b.sequenceNumber))) {
    const bytes = liveBytes(scanned);
    if (group.sources.length > 0 && group.bytes + bytes > options.targetBytes) {
      groups.push(group);
      group = { sources: [], bytes: 0 };
    }
    group = { sources: [...group.sources, scanned], bytes: group.bytes + bytes };
  }
  return [...groups, group].filter((each) => isWorthIt(each, options));
}

function isWorthIt({ sources, bytes }: CompactionGroup, options: CompactionOptions): boolean {
  if (sources.some((scanned) => isMostlyDeleted(scanned, options))) return true;
  return sources.length >= options.minInputFiles || (sources.length > 1 && bytes >= options.targetBytes * SMALL_SHARE);
}

function isSmall({ fileSizeInBytes }: DataFile, { targetBytes }: CompactionOptions): boolean {
  return Number(fileSizeInBytes) < targetBytes * SMALL_SHARE;
}

function isMostlyDeleted(scanned: ScanFile, { deletedShare }: CompactionOptions): boolean {
  return deletedRows(scanned) > deletedShare * Number(scanned.file.recordCount);
}

/** The rows that deletes about this file alone say are gone; those about several files count for none, since it is not known whose they are. */
function deletedRows({ file, deletes }: ScanFile): number {
  const own = deletes.filter(({ referencedDataFile }) => referencedDataFile === file.filePath);
  return own.reduce((sum, { recordCount }) => sum + Number(recordCount), 0);
}

function liveBytes(scanned: ScanFile): number {
  const { recordCount, fileSizeInBytes } = scanned.file;
  const share = recordCount === 0n ? 0 : deletedRows(scanned) / Number(recordCount);
  return Number(fileSizeInBytes) * Math.max(0, 1 - share);
}

function folderOf({ filePath }: DataFile): string {
  return (
    filePath
      .slice(0, filePath.lastIndexOf('/'))
      // With an object-store layout a hash comes before all else: files differ in it alone.
      .replace(/\/(?:[01]{4}\/){3}[01]{8}(?=\/|$)/, '')
  );
}

function kindOf({ filePath }: DataFile): string {
  return CHANGES.exec(filePath.slice(filePath.lastIndexOf('/') + 1))?.[0] ?? '';
}
