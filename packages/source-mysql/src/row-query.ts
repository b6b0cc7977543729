import { selectExpression } from './column-types.ts';
import { quoteIdentifier } from './quoting.ts';
import type { StreamColumn } from './stream-columns.ts';

/** The query behind rows: which columns, of which table (quoted), by which index, under which conditions. */
export type RowQuery = { columns: StreamColumn[]; from: string; index: string | undefined; conditions: string[] };

/** The one place where the text of a reading SELECT is made: all that selects or leaves out rows and values meets here. */
export function rowStatement({ columns, from, index, conditions }: RowQuery): string {
  const list = columns.map(({ column, mapping }) => selectExpression(column, mapping)).join(', ');
  return `SELECT ${list} FROM ${from}${indexHint(index)}${whereClause(conditions)}`;
}

/** Keeps the optimizer on the index whose ranges are read, so that rows come in its order and none outside of them is looked at. */
export function indexHint(index: string | undefined): string {
  return index === undefined ? '' : ` FORCE INDEX (${quoteIdentifier(index)})`;
}

/** The rows that meet all conditions. */
export function whereClause(conditions: string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.map((condition) => `(${condition})`).join(' AND ')}`;
}
