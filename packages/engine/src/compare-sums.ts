import { type Literal, type ListedRow, MAX_RANGES, type RangeSum, type SelectedStream } from '@fjord/core';
import { parseCanonical } from '@fjord/core/apache-arrow';

/** About so many rows share a range: few enough to be listed, so many that a small table has few. */
const ROWS_PER_RANGE = 1024;

/** A range whose rows are not the same on both sides. */
export type DifferingRange = { range: number; source: RangeSum; table: RangeSum };

/** A row's key, a value for each column of the table's key. */
export type RowKey = Record<string, unknown>;

/** Keys of rows that the table has lost, that only it has, and that have other values there or are there more than once. */
export type DifferingKeys = { missing: RowKey[]; extra: RowKey[]; changed: RowKey[] };

/** Into how many ranges the rows of a stream are divided: by its estimated rows a power of two. */
export function countRanges({ estimatedRows = 0 }: SelectedStream): number {
  const wanted = Math.max(1, Math.min(MAX_RANGES, estimatedRows / ROWS_PER_RANGE));
  return 2 ** Math.ceil(Math.log2(wanted));
}

/** The ranges that differ, in their order. */
export function compareRanges(source: readonly RangeSum[], table: readonly RangeSum[]): DifferingRange[] {
  const [left, right] = [byRange(source), byRange(table)];
  const ranges = [...new Set([...left.keys(), ...right.keys()])].toSorted((a, b) => a - b);
  return ranges.flatMap((range) => {
    const none = { range, rows: 0, sum: '0'.repeat(16) };
    const pair = { range, source: left.get(range) ?? none, table: right.get(range) ?? none };
    return pair.source.rows === pair.table.rows && pair.source.sum === pair.table.sum ? [] : [pair];
  });
}

export function countRows(sums: readonly RangeSum[]): number {
  return sums.reduce((total, { rows }) => total + rows, 0);
}

/** The keys whose rows differ. Rows without a key are told apart by all of their values, and counted. */
export function compareRows(
  source: readonly ListedRow[],
  table: readonly ListedRow[],
  selected: SelectedStream,
): DifferingKeys {
  const [left, right] = [byKey(source), byKey(table)];
  const found: DifferingKeys = { missing: [], extra: [], changed: [] };
  for (const [text, sums] of left) {
    const others = right.get(text);
    if (!others) found.missing.push(toKey(text, selected));
    else if (sums.toSorted().join() !== others.toSorted().join()) found.changed.push(toKey(text, selected));
  }
  for (const text of right.keys()) if (!left.has(text)) found.extra.push(toKey(text, selected));
  return found;
}

/** The key under the source's names; undefined if a column of it is computed, so that the source could not find the row by it. */
export function sourceKey(key: RowKey, { shape, primaryKey }: SelectedStream): RowKey | undefined {
  if (!shape) return key;
  const entries = primaryKey.flatMap((name) => {
    const expression = shape.outputs.find(({ column }) => column.name === name)?.expression;
    return expression && 'column' in expression ? [[expression.column, key[name] as Literal] as const] : [];
  });
  return entries.length === primaryKey.length ? Object.fromEntries(entries) : undefined;
}

function byRange(sums: readonly RangeSum[]): Map<number, RangeSum> {
  return new Map(sums.map((sum) => [sum.range, sum]));
}

function byKey(rows: readonly ListedRow[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { key, sum } of rows) {
    const text = JSON.stringify(key);
    const sums = found.get(text);
    if (sums) sums.push(sum);
    else found.set(text, [sum]);
  }
  return found;
}

function toKey(text: string, { columns, primaryKey }: SelectedStream): RowKey {
  const values = JSON.parse(text) as (string | null)[];
  const names = primaryKey.length > 0 ? primaryKey : columns.map(({ name }) => name);
  const entries = names.map((name, index) => {
    const value = values[index] ?? null;
    const type = columns.find((column) => column.name === name)?.type;
    return [
      name,
      value === null || type === undefined || typeof type !== 'string' ? value : parseCanonical(type, value),
    ];
  });
  return Object.fromEntries(entries);
}
