import type { Data } from 'apache-arrow';
import { type ArrowRows, isValid, valueBytes } from '../partition/arrow-rows.ts';

/** What a change does, as the first letter of its `_op`. */
export const OP = { create: 0x63, update: 0x75, delete: 0x64 } as const;

/** Bytes of an order key. */
export const POSITION_BYTES = 16;

/** The columns that a batch of changes has behind those of its schema (docs/protocol.md, Changes). */
const LOG_COLUMNS = ['op', 'position', 'unset', 'committedAt'] as const;

/** One batch of changes: its rows with the columns of their schema, and what the log says of each. */
export class ChangeRows {
  /** The columns of the schema, and behind them the four of the log if there are any. */
  readonly rows: ArrowRows;
  /** The letter of each row's `_op`. */
  readonly ops: Uint8Array;
  /** The log's own columns, absent in rows that did not come from a log. */
  readonly log: Readonly<Record<(typeof LOG_COLUMNS)[number], Data>> | undefined;
  readonly #positions: Uint8Array;

  /** Without the log's columns the rows are upserted as they are. */
  constructor(rows: ArrowRows, columnCount: number) {
    this.rows = rows;
    this.log = logColumns(rows, columnCount);
    this.ops = this.log ? readOps(this.log.op, rows.length) : new Uint8Array(rows.length).fill(OP.update);
    this.#positions = this.log ? valueBytes(this.log.position) : new Uint8Array();
  }

  get length(): number {
    return this.rows.length;
  }

  /** Whether the log did not carry a column of a row. */
  isUnset(row: number, column: number): boolean {
    const bits = this.#unsetOf(row);
    return bits !== undefined && (bits[column >> 3]! & (1 << (column & 7))) !== 0;
  }

  /** Whether there is any column that the log did not carry for a row. */
  hasUnset(row: number): boolean {
    return this.#unsetOf(row)?.some((bits) => bits !== 0) ?? false;
  }

  /** Whether a row's place in the log is behind the given order key. */
  isBeyond(row: number, orderKey: Uint8Array): boolean {
    const at = row * POSITION_BYTES;
    for (let byte = 0; byte < POSITION_BYTES; byte++) {
      const difference = this.#positions[at + byte]! - orderKey[byte]!;
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  /** Whether the log said when a row's transaction was committed. */
  hasCommitTime(row: number): boolean {
    return this.log !== undefined && isValid(this.log.committedAt, row);
  }

  #unsetOf(row: number): Uint8Array | undefined {
    const unset = this.log?.unset;
    if (!unset || !isValid(unset, row)) return undefined;
    const offsets = unset.valueOffsets as Int32Array;
    return valueBytes(unset).subarray(offsets[row]!, offsets[row + 1]!);
  }
}

function logColumns({ columns }: ArrowRows, columnCount: number): ChangeRows['log'] {
  const [op, position, unset, committedAt] = columns.slice(columnCount);
  return op && position && unset && committedAt ? { op, position, unset, committedAt } : undefined;
}

function readOps(data: Data, length: number): Uint8Array {
  const [letters, offsets, ops] = [valueBytes(data), data.valueOffsets as Int32Array, new Uint8Array(length)];
  for (let row = 0; row < length; row++) ops[row] = letters[offsets[row]!]!;
  return ops;
}
