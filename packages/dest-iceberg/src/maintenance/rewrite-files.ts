import {
  currentSchema,
  type DataFile,
  type NestedField,
  type PositionSet,
  type Rewrite,
  type ScanFile,
  type Table,
} from '@fjord/iceberg';
import { type Data, Int64, makeData } from 'apache-arrow';
import { toColumns } from '../field-columns.ts';
import { openParquetSource, type SourceRows } from '../parquet/parquet-source.ts';
import type { FileWriter, ParquetBatch, ParquetPool } from '../parquet/sink.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { gatherRows } from '../partition/gather.ts';
import { sortPlan } from '../sort/sort-plan.ts';
import { copyRowGroups, findCopyable } from './copy-row-groups.ts';
import { type CompactionGroup, prefixOf } from './plan-compaction.ts';

/** Where each row came from and when it last changed (spec: Row Lineage): kept in the files that rows move to. */
const ROW_ID: NestedField = { id: 2_147_483_540, name: '_row_id', required: false, type: 'long' };
const LAST_UPDATED: NestedField = {
  id: 2_147_483_539,
  name: '_last_updated_sequence_number',
  required: false,
  type: 'long',
};

/** What a rewrite works with. */
export type RewriteTools = {
  table: Table;
  pool: ParquetPool;
  /** Which rows of a file are gone. */
  deleted: { of(scanned: ScanFile): Promise<PositionSet> };
  signal: AbortSignal;
};

/** A rewrite, with the rows of each source that were deleted when it was read; undefined where the new files have the rows in another order. */
export type FileRewrite = Rewrite & { gone: readonly PositionSet[] | undefined };

/**
 * Writes the live rows of a group's files into new ones: row groups that can be are copied as they are, other rows decoded, a few batches at a time.
 * On any fault what was written is deleted.
 */
export async function rewriteFiles(group: CompactionGroup, tools: RewriteTools): Promise<FileRewrite[]> {
  const { table, deleted, signal } = tools;
  const prefix = prefixOf(group);
  const copied = await findCopyable(group.sources, { table, deleted, signal });
  const sources = copied.map(({ source }) => source);
  const rest = group.sources.filter((source) => !sources.includes(source));
  const recoded = rest.length > 0 ? [await recodeFiles(rest, prefix, tools)] : [];
  if (copied.length === 0) return recoded;
  try {
    const file = placedLike(sources[0], await copyRowGroups(table, copied, { prefix, signal }));
    return [...recoded, { sources, files: [file], gone: [] }];
  } catch (error) {
    const written = recoded.flatMap(({ files }) => files);
    await Promise.allSettled(written.map(({ filePath }) => table.io.delete(filePath)));
    throw error;
  }
}

async function recodeFiles(sources: readonly ScanFile[], prefix: string, tools: RewriteTools): Promise<FileRewrite> {
  const { table, pool, deleted } = tools;
  const fields = [...currentSchema(table.metadata).fields, ...lineageFields(table)];
  const sort = sortPlan(table.metadata, fields);
  const writer = pool.openFile({ prefix, fields, io: table.ioProperties, sort });
  try {
    const gone: PositionSet[] = [];
    for (const source of sources) {
      // What is deleted from now on is carried over at the commit.
      const dead = (await deleted.of(source)).copy();
      gone.push(dead);
      await copyRows(source, { ...tools, fields, writer, dead });
    }
    const files = await writer.close();
    return { sources, gone: sort ? undefined : gone, files: files.map((file) => placedLike(sources[0], file)) };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** A new file of the spec and partition of those that it was made from. */
function placedLike(source: ScanFile | undefined, file: DataFile): DataFile {
  const { partition } = source?.file ?? {};
  return { ...file, specId: source?.specId ?? 0, ...(partition && { partition }) };
}

type Copy = Omit<RewriteTools, 'deleted'> & {
  fields: readonly NestedField[];
  writer: FileWriter;
  dead: PositionSet;
};

async function copyRows(scanned: ScanFile, { table, dead, signal, fields, writer }: Copy): Promise<void> {
  const columns = toColumns(fields);
  await using source = await openParquetSource(table, scanned.file);
  for await (const batch of source.read(fields)) {
    signal.throwIfAborted();
    const indices = liveRows(batch, dead);
    if (indices.length === 0) continue;
    const isWhole = indices.length === batch.rows && scanned.file.firstRowId === undefined;
    await writer.write(
      isWhole ? asItIs(batch) : gatherRows(columns, [{ rows: lineageOf(batch, scanned, fields), indices }]),
    );
  }
}

const asItIs = ({ rows, stream }: SourceRows): ParquetBatch => ({ rows, body: [stream] });

function liveRows({ startRow, rows }: SourceRows, gone: PositionSet): Int32Array {
  const indices = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (gone.size === 0 || !gone.has(startRow + row)) indices[count++] = row;
  return indices.subarray(0, count);
}

function lineageFields({ metadata }: Table): NestedField[] {
  return metadata['format-version'] >= 3 ? [ROW_ID, LAST_UPDATED] : [];
}

/** Rows that never moved have no ids in their file: they follow from the file's first one and its sequence number. */
function lineageOf(batch: SourceRows, { file, sequenceNumber }: ScanFile, fields: readonly NestedField[]): ArrowRows {
  const { length, columns } = batch.columns;
  const { firstRowId } = file;
  if (firstRowId === undefined || fields.at(-2) !== ROW_ID) return batch.columns;
  const start = firstRowId + BigInt(batch.startRow);
  const filled = [
    ...columns.slice(0, -2),
    withoutNulls(columns.at(-2), length, (row) => start + BigInt(row)),
    withoutNulls(columns.at(-1), length, () => sequenceNumber),
  ];
  return { length, columns: filled };
}

function withoutNulls(column: Data | undefined, length: number, valueOf: (row: number) => bigint): Data {
  if (!column) throw new Error('a column of row ids was not read');
  if (column.nullCount === 0) return column;
  const values = column.values as BigInt64Array;
  const data = BigInt64Array.from({ length }, (_, row) => (column.getValid(row) ? (values[row] ?? 0n) : valueOf(row)));
  return makeData({ type: new Int64(), length, nullCount: 0, data });
}
