import type { Column } from '@fjord/core';
import { type ArrowColumn, BatchBuilder } from '@fjord/core/arrow';
import type { DataFile, Partition } from '@fjord/iceberg';
import type { Data } from 'apache-arrow';
import type { FileWriter, ParquetBatch } from '../parquet/sink.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherColumn } from '../partition/gather.ts';
import type { PartitionKeys } from '../partition/partition-keys.ts';
import type { SortPlan } from '../sort/sort-plan.ts';
import { OP } from './change-rows.ts';
import { fillNull, fillText, fillTime, type MetadataColumn } from './metadata-columns.ts';
import type { RunLayout } from './run-layout.ts';
import type { RunRows } from './run-rows.ts';
import { fillUnset } from './unset-names.ts';

/** Rows gathered at once: few enough to stay in the cache, enough that a column pays. */
const BATCH_ROWS = 16_384;

/** Where some values of a column come from instead of the rows themselves, by winner: a source and a row of it. */
export type Patch = { sources: Int32Array; rows: Int32Array };
/** Marks in a patch: the row's own value, and none at all. */
export const OWN = -1;
export const NULL_SOURCE = -2;

/** The rows that a run writes. */
export type Output = {
  rows: RunRows;
  layout: RunLayout;
  /** Rows of the run, in the order in which they are written. */
  winners: Int32Array;
  /** By column of the layout. */
  patches: readonly (Patch | undefined)[];
  /** What patches name as sources. */
  fetched: readonly ArrowRows[];
  loadedAt: bigint;
};

/** A writer of the stream's table, what divides its rows if the table is partitioned, and how they are to be sorted if it has an order. */
export type OpenedFile = { writer: FileWriter; keys: PartitionKeys | undefined; sort?: SortPlan | undefined };

/** A file of a run, and which of the winners are in it, in the order of its rows. */
export type RunFile = { file: DataFile; winners: Int32Array };

/** The same rows in the order of the table: files of changes are written sorted, so that it is known where each row lies. */
export async function sortOutput(output: Output, plan: SortPlan | undefined): Promise<Output> {
  if (!plan) return output;
  const { sortKeys } = await import('../sort/sort-keys.ts');
  const { orderRows } = await import('../sort/sort-rows.ts');
  const places = placesOf(output);
  const keys = batches(output.winners.length).flatMap((slice) =>
    decodeRows(gather(output, { ...places, ...slice }).body).map((rows) => sortKeys(rows, plan.columns)),
  );
  const order = orderRows(keys);
  const patches = output.patches.map(
    (patch) =>
      patch && { sources: order.map((row) => patch.sources[row]!), rows: order.map((row) => patch.rows[row]!) },
  );
  return { ...output, winners: order.map((row) => output.winners[row]!), patches };
}

/** Writes winners into files. */
export async function writeRun(output: Output, { writer, keys }: OpenedFile): Promise<RunFile[]> {
  const { winners } = output;
  const places = placesOf(output);
  const numbers = new Int32Array(winners.length);
  try {
    for (const slice of batches(winners.length)) {
      const batch = gather(output, { ...places, ...slice });
      if (keys)
        numbers.set(
          decodeRows(batch.body).flatMap((rows) => [...keys.assign(rows)]),
          slice.start,
        );
      await writer.write(batch);
    }
    return placeWinners(await writer.close(), { numbers, keys });
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Which batch each winner is in, and where. */
function placesOf({ winners, rows }: Output): { places: Int32Array; indices: Int32Array } {
  const places = winners.map((row) => rows.batchOf(row));
  return { places, indices: winners.map((row, winner) => row - rows.starts[places[winner]!]!) };
}

function batches(count: number): { start: number; end: number }[] {
  const starts = Array.from({ length: Math.ceil(count / BATCH_ROWS) }, (_, batch) => batch * BATCH_ROWS);
  return starts.map((start) => ({ start, end: Math.min(count, start + BATCH_ROWS) }));
}

/** A writer keeps the order of each partition's rows, over all of its files. */
function placeWinners(
  files: readonly DataFile[],
  { numbers, keys }: { numbers: Int32Array; keys: PartitionKeys | undefined },
): RunFile[] {
  const byNumber = new Map<number, number[]>();
  for (const [winner, number] of numbers.entries()) {
    const own = byNumber.get(number);
    if (own) own.push(winner);
    else byNumber.set(number, [winner]);
  }
  const numberOf = new Map<Partition | undefined, number>();
  for (const number of byNumber.keys()) numberOf.set(keys?.partition(number), number);
  const next = new Map<number, number>();
  return files.map((file) => {
    const number = numberOf.get(keys ? file.partition : undefined);
    const own = number === undefined ? undefined : byNumber.get(number);
    if (number === undefined || !own) throw new Error(`file ${file.filePath} is of a partition that has no rows`);
    const start = next.get(number) ?? 0;
    const end = start + Number(file.recordCount);
    next.set(number, end);
    return { file, winners: Int32Array.from(own.slice(start, end)) };
  });
}

type Slice = { places: Int32Array; indices: Int32Array; start: number; end: number };

function gather(output: Output, slice: Slice): ParquetBatch {
  const { layout } = output;
  const count = slice.end - slice.start;
  const builder = new BatchBuilder(layout.fileColumns as Column[], { capacityRows: count });
  builder.reserve(count);
  for (const [index, column] of builder.columns.entries()) {
    const metadata = layout.metadata[index - layout.columns.length];
    if (metadata === undefined) gatherOwn(output, { ...slice, column: index }, column);
    else gatherMetadata(output, { ...slice, metadata }, column);
  }
  builder.rows = count;
  return builder.finish();
}

function gatherOwn(
  output: Output,
  { column: number, ...slice }: Slice & { column: number },
  column: ArrowColumn,
): void {
  const { rows, fetched, patches, layout } = output;
  const patch = patches[number];
  const own = (batch: number) => (number < layout.carried ? rows.batches[batch]?.rows.columns[number] : undefined);
  if (!patch) return gatherFrom(own, slice, column);
  const batches = rows.batches.length;
  const places = slice.places.map((place, winner) => {
    const source = patch.sources[winner]!;
    return source === OWN ? place : source === NULL_SOURCE ? batches + fetched.length : source;
  });
  const indices = slice.indices.map((index, winner) => (patch.sources[winner]! < 0 ? index : patch.rows[winner]!));
  const source = (place: number) => (place < batches ? own(place) : fetched[place - batches]?.columns[number]);
  gatherFrom(source, { ...slice, places, indices }, column);
}

/** Copies piece by piece what lies in one source. Rows of a source without the column are null. */
function gatherFrom(source: (place: number) => Data | undefined, slice: Slice, column: ArrowColumn): void {
  const { places, indices, start, end } = slice;
  for (let from = start; from < end;) {
    let to = from + 1;
    while (to < end && places[to] === places[from]) to++;
    const data = source(places[from]!);
    if (data) gatherColumn({ data, indices: indices.subarray(from, to), start: from - start }, column);
    else fillNull(column, [from - start, to - from]);
    from = to;
  }
}

function gatherMetadata(
  output: Output,
  { metadata, ...slice }: Slice & { metadata: MetadataColumn },
  column: ArrowColumn,
): void {
  const { batches } = output.rows;
  const all: [number, number] = [0, slice.end - slice.start];
  switch (metadata) {
    case 'op':
    case 'position':
    case 'committedAt':
      return gatherFrom((place) => batches[place]?.log?.[metadata], slice, column);
    case 'loadedAt':
      return fillTime(column, all, output.loadedAt);
    case 'deletedAt':
      return gatherDeletedAt(output, slice, column);
    case 'unset':
      return fillUnset(output, slice, column);
    default:
      return metadata satisfies never;
  }
}

function gatherDeletedAt(
  { rows, loadedAt }: Output,
  { places, indices, start, end }: Slice,
  column: ArrowColumn,
): void {
  for (let winner = start; winner < end; winner++) {
    const [batch, index, at] = [rows.batches[places[winner]!]!, indices[winner]!, winner - start];
    const isDeleted = batch.ops[index] === OP.delete;
    const data = isDeleted ? batch.log?.committedAt : undefined;
    if (!isDeleted) fillNull(column, [at, 1]);
    else if (data && batch.hasCommitTime(index)) {
      gatherColumn({ data, indices: Int32Array.of(index), start: at }, column);
    } else fillTime(column, [at, 1], loadedAt);
  }
}

/** What the first copy's rows have in a metadata column. */
export function fillCopied(
  column: ArrowColumn,
  metadata: MetadataColumn,
  { rows, loadedAt }: { rows: number; loadedAt: bigint },
): void {
  if (metadata === 'op') fillText(column, [0, rows], COPIED);
  else if (metadata === 'loadedAt') fillTime(column, [0, rows], loadedAt);
  else fillNull(column, [0, rows]);
}

/** The `_fjord_op` of rows that were read from the table and not from the log. */
const COPIED = 'r';
