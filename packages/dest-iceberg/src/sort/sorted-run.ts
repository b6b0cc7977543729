import type { Column } from '@fjord/core';
import { replaceSchemaMessage } from '@fjord/core/arrow';
import { wholeStream } from '../parquet/whole-stream.ts';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherRows } from '../partition/gather.ts';
import { type SortKeys, sortKeys } from './sort-keys.ts';
import type { SortColumn } from './sort-plan.ts';
import { areInOrder, orderRows } from './sort-rows.ts';

/** Rows in order, as an Arrow stream that a file takes. */
export type Slice = { readonly rows: number; readonly body: readonly Uint8Array[] };

/** A batch with its rows, what orders them, and the stream they came in. */
export type KeyedBatch = Slice & { readonly columns: ArrowRows; readonly keys: SortKeys };

/** Rows in order, in slices; and what is compared with the rows before and after. */
export type SortedRun = { readonly slices: readonly Slice[]; readonly first: SortKeys; readonly last: SortKeys };

/** What is known of a file's rows. */
export type RowForm = {
  readonly columns: readonly Column[];
  readonly order: readonly SortColumn[];
  /** What the streams of its batches begin with. */
  readonly schemaMessage: Uint8Array;
  /** About how many bytes a slice has. */
  readonly sliceBytes: number;
};

/** Decodes a stream and finds what orders its rows. */
export function keyBatches(stream: Uint8Array, { order }: RowForm): KeyedBatch[] {
  const batches = decodeRows([stream]);
  const whole = batches.length === 1 ? [stream] : undefined;
  return batches.map((columns) => ({
    rows: columns.length,
    // A stream of several batches is gathered anew anyway.
    body: whole ?? [],
    columns,
    keys: sortKeys(columns, order),
  }));
}

/** Sorts batches of about so many bytes that are held in memory. Those that come in order are taken as they are. */
export function sortRun(held: readonly KeyedBatch[], bytes: number, form: RowForm): SortedRun {
  const keys = held.map((batch) => batch.keys);
  if (held.every(({ body }) => body.length > 0) && areInOrder(keys)) return toRun(held, held.at(0)?.keys, form);
  const joined = joinRows(
    held.map(({ columns }) => ({ rows: columns, indices: everyRow(columns.length) })),
    form,
  );
  const order = orderRows(keys);
  const sliceRows = Math.max(1, Math.ceil((order.length * form.sliceBytes) / Math.max(1, bytes)));
  const slices: Slice[] = [];
  for (let start = 0; start < order.length; start += sliceRows) {
    slices.push(pickRows(joined, order.subarray(start, start + sliceRows), form));
  }
  return toRun(slices, undefined, form);
}

/** Some rows of a batch, in the order of their numbers, as a slice of their own. */
export function pickRows(rows: ArrowRows, indices: Int32Array, form: RowForm): Slice {
  const { body } = gatherRows(form.columns, [{ rows, indices }]);
  return { rows: indices.length, body: replaceSchemaMessage(wholeStream(body), form.schemaMessage) };
}

/** Rows of several batches one behind the other, so that they can be picked by one number. */
export function joinRows(selections: Parameters<typeof gatherRows>[1], { columns }: RowForm): ArrowRows {
  const [only] = selections;
  if (selections.length === 1 && only && only.indices.length === only.rows.length) return only.rows;
  const [joined] = decodeRows(gatherRows(columns, selections).body);
  if (!joined) throw new Error('rows that were joined are gone');
  return joined;
}

function toRun(slices: readonly Slice[], known: SortKeys | undefined, form: RowForm): SortedRun {
  const filled = slices.filter(({ rows }) => rows > 0);
  const [first, last] = [filled[0], filled.at(-1)];
  if (!first || !last) throw new Error('a run of no rows was sorted');
  return { slices: filled, first: known ?? keysOf(first, form), last: keysOf(last, form) };
}

function keysOf(slice: Slice, form: RowForm): SortKeys {
  const [batch] = keyBatches(wholeStream(slice.body), form);
  if (!batch) throw new Error('a slice of a sorted run has no batch');
  return batch.keys;
}

const everyRow = (length: number) => Int32Array.from({ length }, (_, row) => row);
