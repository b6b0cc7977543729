import type { Column } from '../column-type.ts';
import { ConnectorError } from '../errors.ts';
import type { Message } from '../protocol/messages.ts';

/** What a batch of changes has behind the columns of its SCHEMA (docs/protocol.md, Changes). */
export const CHANGE_COLUMNS: readonly Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

/** All columns of a batch of changes: those that are no key may be missing in a deleted row, or unset, and so are null there. */
export function changeBatchColumns(columns: readonly Column[], primaryKey: readonly string[]): Column[] {
  const key = new Set(primaryKey);
  return [...columns.map((column) => ({ ...column, nullable: !key.has(column.name) })), ...CHANGE_COLUMNS];
}

const OPS: ReadonlySet<unknown> = new Set(['c', 'u', 'd']);

/** A change as one row of such a batch, in JSON form; `protocol_violation` where it does not say all that a change must. */
export function changeToRow(record: Message<'RECORD'>, columns: readonly Column[]): Record<string, unknown> {
  const { stream, data, op, position, unset = [], committedAt = null } = record;
  if (!OPS.has(op) || position === undefined || !/^[0-9a-f]{32}$/.test(position)) {
    throw new ConnectorError(
      'protocol_violation',
      `A RECORD of stream ${stream} is a change: it needs "op" and "position".`,
    );
  }
  return {
    ...data,
    _op: op,
    _position: Buffer.from(position, 'hex').toString('base64'),
    _unset: unset.length === 0 ? null : unsetBits(unset, columns, stream).toString('base64'),
    _committed_at: committedAt,
  };
}

/** A row of a batch of changes, in JSON form, as what a RECORD carries: columns that were not in the log are left out and named. */
export function rowToChange(
  row: Record<string, unknown>,
  columns: readonly Column[],
): Pick<Message<'RECORD'>, 'data' | 'op' | 'position' | 'unset' | 'committedAt'> {
  const { _op: op, _position: position, _unset: bits, _committed_at: committedAt } = row as ChangeFields;
  const unset = bits === null ? [] : namesOf(Buffer.from(bits, 'base64'), columns);
  const kept = columns.filter(({ name }) => !unset.includes(name));
  return {
    data: Object.fromEntries(kept.map(({ name }) => [name, row[name]])),
    op,
    position: Buffer.from(position, 'base64').toString('hex'),
    ...(unset.length > 0 && { unset }),
    ...(committedAt !== null && { committedAt }),
  };
}

type ChangeFields = { _op: 'c' | 'u' | 'd'; _position: string; _unset: string | null; _committed_at: string | null };

function unsetBits(unset: readonly string[], columns: readonly Column[], stream: string): Buffer {
  const bits = Buffer.alloc((columns.length + 7) >> 3);
  for (const name of unset) {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0) {
      throw new ConnectorError('protocol_violation', `A RECORD of stream ${stream} says that "${name}" is unset.`, {
        help: 'The column is not in the SCHEMA that the stream sent last.',
      });
    }
    bits[index >> 3]! |= 1 << (index & 7);
  }
  return bits;
}

const namesOf = (bits: Uint8Array, columns: readonly Column[]) =>
  columns.filter((_, index) => ((bits[index >> 3] ?? 0) >> (index & 7)) & 1).map(({ name }) => name);
