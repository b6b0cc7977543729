import type { Column, SelectedStream } from '@fjord/core';
import type { ArrowColumn } from '@fjord/core/arrow';

/** What Fjord says of each row in columns of its own (docs/changes.md). */
export const METADATA = {
  op: {
    name: '_fjord_op',
    type: 'string',
    nullable: true,
    doc: 'c created, u updated, d deleted, r read by the first copy',
  },
  position: {
    name: '_fjord_position',
    type: 'fixed(16)',
    nullable: true,
    doc: 'Place in the change log; its bytes sort as the changes came',
  },
  committedAt: {
    name: '_fjord_committed_at',
    type: 'timestamptz',
    nullable: true,
    doc: 'When the source committed the change',
  },
  loadedAt: {
    name: '_fjord_loaded_at',
    type: 'timestamptz',
    nullable: true,
    doc: 'When the row was written to this table',
  },
  deletedAt: {
    name: '_fjord_deleted_at',
    type: 'timestamptz',
    nullable: true,
    doc: 'When the row was deleted at the source; null while it lives',
  },
  unset: {
    name: '_fjord_unset',
    type: { type: 'list', element: 'string', elementRequired: true },
    nullable: true,
    doc: 'Columns that the change did not carry: their null here is no value',
  },
} as const satisfies Record<string, Column>;

export type MetadataColumn = keyof typeof METADATA;

/** The metadata columns of a stream's table, in their order. */
export function metadataColumns({ writeMode, changes }: SelectedStream): MetadataColumn[] {
  if (!changes) return [];
  const isHistory = writeMode === 'append';
  const described = changes.metadataColumns ?? true;
  return [
    // A history in which deletes look like inserts would be of no use.
    ...(described || isHistory ? (['op'] as const) : []),
    ...(described ? (['position', 'committedAt', 'loadedAt'] as const) : []),
    ...(changes.deletes === 'soft' && !isHistory ? (['deletedAt'] as const) : []),
    ...(isHistory ? (['unset'] as const) : []),
  ];
}

/** The columns of a stream's table: the stream's own, which in a history may all be null, and the metadata columns. */
export function tableColumns(selected: SelectedStream, columns: readonly Column[]): Column[] {
  const isHistory = selected.changes !== undefined && selected.writeMode === 'append';
  const own = isHistory ? columns.map((column) => ({ ...column, nullable: true })) : columns;
  return [...own, ...metadataColumns(selected).map((name) => METADATA[name])];
}

/** Fills `count` rows from `start` with one timestamp in microseconds. */
export function fillTime(column: ArrowColumn, [start, count]: [number, number], micros: bigint): void {
  if (column.kind !== 'fixed') throw new Error('a time has a fixed width');
  const [low, high] = [Number(BigInt.asIntN(32, micros)), Number(micros >> 32n)];
  for (let row = start; row < start + count; row++) {
    column.setValid(row);
    column.words[2 * row] = low;
    column.words[2 * row + 1] = high;
  }
}

/** Fills `count` rows from `start` with one text. */
export function fillText(column: ArrowColumn, [start, count]: [number, number], text: string): void {
  if (column.kind !== 'bytes') throw new Error('a text is kept as bytes');
  const bytes = Buffer.from(text);
  let end = column.offsets[start] ?? 0;
  column.reserveData(end + count * bytes.length);
  for (let row = start; row < start + count; row++) {
    column.setValid(row);
    column.data.set(bytes, end);
    end += bytes.length;
    column.offsets[row + 1] = end;
  }
}

/** Makes `count` rows from `start` null. */
export function fillNull(column: ArrowColumn, [start, count]: [number, number]): void {
  column.nullCount += count;
  if ('offsets' in column) column.offsets.fill(column.offsets[start] ?? 0, start + 1, start + count + 1);
  if (column.kind === 'struct') for (const child of column.children) fillNull(child, [start, count]);
}
