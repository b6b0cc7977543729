import { randomUUID } from 'node:crypto';
import { currentSchema, type DataFile, type FileIO, type ScanFile, type Table } from '@fjord/iceberg';
import { type CopyableFile, ParquetError, type ParquetFooter, readCopyableFile, RowGroupCopier } from '@fjord/parquet';
import { footerMetrics } from '../parquet/footer-metrics.ts';
import { leafTypes } from '../parquet/metrics.ts';
import { sortPlan } from '../sort/sort-plan.ts';
import type { RewriteTools } from './rewrite-files.ts';

/** A file whose row groups are copied as they are. */
export type CopiedSource = { source: ScanFile; copyable: CopyableFile };

/** Row groups of fewer rows are encoded anew, into larger ones: readers pay for each. */
const MIN_GROUP_ROWS = 16_384;
/** Read at once from the end: the footer of most files, with their page indexes. */
const TAIL_BYTES = 64 * 1024;

/**
 * The files of a group that need not be decoded: none of their rows is deleted, their row groups are large enough, and they were written alike. None where
 * there is only one, or where rows must be given their ids (format version 3) or sorted.
 */
export async function findCopyable(
  sources: readonly ScanFile[],
  { table: { io, metadata }, deleted, signal }: Pick<RewriteTools, 'table' | 'deleted' | 'signal'>,
): Promise<CopiedSource[]> {
  if (metadata['format-version'] >= 3 || sortPlan(metadata, currentSchema(metadata).fields)) return [];
  const found: CopiedSource[] = [];
  for (const source of sources) {
    signal.throwIfAborted();
    if (Number(source.file.recordCount) < MIN_GROUP_ROWS || (await deleted.of(source)).size > 0) continue;
    const copyable = await openCopyable(io, source.file);
    if (copyable) found.push({ source, copyable });
  }
  const [most = []] = [...Map.groupBy(found, ({ copyable }) => copyable.kind).values()].toSorted(
    (a, b) => b.length - a.length,
  );
  return most.length > 1 ? most : [];
}

/** Makes one data file of the row groups of several. */
export async function copyRowGroups(
  { io, metadata }: Table,
  sources: readonly CopiedSource[],
  { prefix, signal }: { prefix: string; signal: AbortSignal },
): Promise<DataFile> {
  const filePath = `${prefix}-${randomUUID()}-00000.parquet`;
  const file = await io.createWriter(filePath);
  const copier = new RowGroupCopier({ write: (bytes) => file.write(bytes) });
  let footer: ParquetFooter;
  try {
    for (const { source, copyable } of sources) {
      signal.throwIfAborted();
      await copier.add(copyable, (offset, length) => io.readRange(source.file.filePath, offset, length));
    }
    footer = await copier.close();
  } catch (error) {
    await file.abort();
    throw error;
  }
  await file.close();
  return {
    content: 'data',
    filePath,
    fileFormat: 'PARQUET',
    recordCount: footer.rowCount,
    fileSizeInBytes: BigInt(copier.length),
    ...footerMetrics(footer, leafTypes(currentSchema(metadata).fields)),
  };
}

/** Undefined for a file that must be decoded: by whom it was written, or how, or since its row groups are small. */
async function openCopyable(io: FileIO, file: DataFile): Promise<CopyableFile | undefined> {
  const copyable = await readFileEnd(io, file).catch((error: unknown) => {
    // It is decoded then, which tells what is wrong with it, if it is.
    if (error instanceof ParquetError) return undefined;
    throw error;
  });
  if (!copyable || BigInt(copyable.rowCount) !== file.recordCount || !copyable.hasFieldIds) return undefined;
  return copyable.rowCount >= MIN_GROUP_ROWS * copyable.groups.length ? copyable : undefined;
}

async function readFileEnd(io: FileIO, { filePath, fileSizeInBytes }: DataFile): Promise<CopyableFile | undefined> {
  const size = Number(fileSizeInBytes);
  for (let bytes = Math.min(size, TAIL_BYTES); ; bytes = Math.min(size, bytes * 8)) {
    const tail = await io.readRange(filePath, size - bytes, bytes);
    const copyable = readCopyableFile(tail, size);
    if (copyable || bytes === size) return copyable;
  }
}
