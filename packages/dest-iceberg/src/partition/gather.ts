import type { Data } from 'apache-arrow';
import {
  type ArrowColumn,
  BatchBuilder,
  type BooleanColumn,
  type BytesColumn,
  type FixedColumn,
  type ListColumn,
  type MapColumn,
} from '@fjord/core/arrow';
import type { Column } from '@fjord/core';
import type { ParquetBatch } from '../parquet/sink.ts';
import { type ArrowRows, isValid, valueBytes, valueWords } from './arrow-rows.ts';

/** Some rows of one record batch, by their numbers. */
export type Selection = { readonly rows: ArrowRows; readonly indices: Int32Array };

/** Copies chosen rows of several record batches into one new Arrow IPC stream, buffer by buffer. */
export function gatherRows(fields: readonly Column[], selections: readonly Selection[]): ParquetBatch {
  const total = selections.reduce((sum, { indices }) => sum + indices.length, 0);
  const builder = new BatchBuilder(fields, { capacityRows: total });
  let start = 0;
  for (const { rows, indices } of selections) {
    for (const [index, column] of builder.columns.entries()) {
      const data = rows.columns[index];
      if (!data) throw new Error('a batch has fewer columns than its schema');
      gatherColumn({ data, indices, start }, column);
    }
    start += indices.length;
  }
  builder.rows = total;
  return builder.finish();
}

/** Rows `indices` of `data` go to rows `start` and on. */
export type Move = { readonly data: Data; readonly indices: Int32Array; readonly start: number };

/** Copies chosen rows of a column into one that is being filled, behind the rows that it has. */
export function gatherColumn(move: Move, column: ArrowColumn): void {
  column.reserve(move.start + move.indices.length);
  gatherValidity(move, column);
  switch (column.kind) {
    case 'fixed':
      return gatherFixed(move, column);
    case 'boolean':
      return gatherBits(move, column);
    case 'bytes':
      return gatherBytes(move, column);
    case 'list':
      return gatherList(move, column, column.child);
    case 'map':
      return gatherList(move, column, column.entries);
    case 'struct':
      for (const [index, child] of column.children.entries())
        gatherColumn({ ...move, data: childOf(move.data, index) }, child);
      return;
    default:
      return column satisfies never;
  }
}

function gatherValidity({ data, indices, start }: Move, column: ArrowColumn): void {
  for (let index = 0; index < indices.length; index++) {
    if (isValid(data, indices[index]!)) column.setValid(start + index);
    else column.nullCount++;
  }
}

function gatherFixed({ data, indices, start }: Move, column: FixedColumn): void {
  const { width } = column;
  if (width % 4 !== 0) {
    const bytes = valueBytes(data);
    for (let index = 0; index < indices.length; index++) {
      const from = indices[index]! * width;
      column.bytes.set(bytes.subarray(from, from + width), (start + index) * width);
    }
    return;
  }
  const [words, target, size] = [valueWords(data), column.words, width >> 2];
  let to = start * size;
  for (let index = 0; index < indices.length; index++) {
    const from = indices[index]! * size;
    for (let word = 0; word < size; word++) target[to++] = words[from + word]!;
  }
}

function gatherBits({ data, indices, start }: Move, column: BooleanColumn): void {
  const bits = data.values as Uint8Array;
  for (let index = 0; index < indices.length; index++) {
    const from = indices[index]!;
    if ((bits[from >> 3]! & (1 << (from & 7))) === 0) continue;
    column.bits[(start + index) >> 3]! |= 1 << ((start + index) & 7);
  }
}

/** Below this many bytes a loop is faster than the call that copies. */
const SHORT_BYTES = 24;

function gatherBytes({ data, indices, start }: Move, column: BytesColumn): void {
  const [source, offsets] = [valueBytes(data), data.valueOffsets as Int32Array];
  let end = column.offsets[start] ?? 0;
  let needed = end;
  for (const index of indices) needed += offsets[index + 1]! - offsets[index]!;
  column.reserveData(needed);
  for (let index = 0; index < indices.length; index++) {
    const [from, to] = [offsets[indices[index]!]!, offsets[indices[index]! + 1]!];
    if (to - from > SHORT_BYTES) column.data.set(source.subarray(from, to), end);
    else for (let byte = from; byte < to; byte++) column.data[end + byte - from] = source[byte]!;
    end += to - from;
    column.offsets[start + index + 1] = end;
  }
}

function gatherList({ data, indices, start }: Move, column: ListColumn | MapColumn, child: ArrowColumn): void {
  const offsets = data.valueOffsets as Int32Array;
  const first = column.offsets[start] ?? 0;
  let end = first;
  for (let index = 0; index < indices.length; index++) {
    end += offsets[indices[index]! + 1]! - offsets[indices[index]!]!;
    column.offsets[start + index + 1] = end;
  }
  const elements = new Int32Array(end - first);
  let count = 0;
  for (const index of indices) for (let at = offsets[index]!; at < offsets[index + 1]!; at++) elements[count++] = at;
  gatherColumn({ data: childOf(data, 0), indices: elements, start: first }, child);
}

function childOf(data: Data, index: number): Data {
  const child = data.children[index];
  if (!child) throw new Error(`Arrow data has no child ${index}`);
  return child;
}
