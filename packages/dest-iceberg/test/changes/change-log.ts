import type { Column } from '@fjord/core';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';

/** A row in the JSON form of its types. */
export type Row = Record<string, string | number | null | undefined>;

/** A change as a test says it: `unset` names the columns that the log does not carry. */
export type Change = { op: 'c' | 'u' | 'd'; row: Row; unset?: string[]; at?: string };

const LOG_COLUMNS: Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

/** A place in the log of a test: the `number`th change. */
export function orderKey(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** Changes as one Arrow IPC stream; the first is the `first`th of the log. */
export function encodeChanges(
  columns: readonly Column[],
  changes: readonly Change[],
  first: number,
): { rows: number; body: Uint8Array[] } {
  // A deleted row has null in all columns but those of its key.
  const own = columns.map((column) => ({ ...column, nullable: true }));
  const builder = new BatchBuilder([...own, ...LOG_COLUMNS]);
  for (const [index, { op, row, unset = [], at }] of changes.entries()) {
    appendRecord(builder, {
      ...row,
      _op: op,
      _position: Buffer.from(orderKey(first + index), 'hex').toString('base64'),
      _unset: unset.length === 0 ? null : unsetBits(columns, unset),
      _committed_at: at ?? null,
    });
  }
  return builder.finish();
}

function unsetBits(columns: readonly Column[], unset: readonly string[]): string {
  const bits = Buffer.alloc(Math.ceil(columns.length / 8));
  for (const [index, { name }] of columns.entries()) if (unset.includes(name)) bits[index >> 3]! |= 1 << (index & 7);
  return bits.toString('base64');
}

/** Random numbers that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
