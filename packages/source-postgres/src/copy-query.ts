import type { SelectedStream } from '@fjord/core';
import type { CopyColumn } from './copy/copy-column.ts';
import type { StreamColumn } from './stream-columns.ts';
import { selectExpression } from './column-types.ts';

/** The query behind a COPY: which columns in which form, of which relation (an item of FROM), under which conditions. */
export type CopyQuery = { columns: StreamColumn[]; from: string; conditions: string[] };

/** The one place where the text of a COPY is made: all that selects or leaves out rows and values meets here. */
export function copyStatement({ columns, from, conditions }: CopyQuery): string {
  const where =
    conditions.length === 0 ? '' : ` WHERE ${conditions.map((condition) => `(${condition})`).join(' AND ')}`;
  return `COPY (SELECT ${selectList(columns)} FROM ${from}${where}) TO STDOUT (FORMAT binary)`;
}

/** The select list that gives the columns in the form their decoders read. */
export function selectList(columns: StreamColumn[]): string {
  return columns.map(({ column, mapping }) => selectExpression(column, mapping)).join(', ');
}

/** How COPY sends the columns of a stream. */
export function copyColumns(columns: StreamColumn[], { primaryKey }: SelectedStream): CopyColumn[] {
  return columns.map(({ column: { name, type, nullable }, mapping: { wire } }) => {
    return { name, type, nullable, wire, isKey: primaryKey.includes(name) };
  });
}
