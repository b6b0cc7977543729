import { createHash } from 'node:crypto';
import type { Column, SelectedStream, Shape } from '@fjord/core';

/** The stream as its source knows it: the columns to read, under the source's own names. What a `Database` is given. */
export function sourceView(selected: SelectedStream): SelectedStream {
  const { shape } = selected;
  return shape ? { ...selected, columns: shape.columns, primaryKey: shape.primaryKey } : selected;
}

/** Whether rows must be changed on the way: columns left out, renamed, put in another order or computed. */
export function changesRows({ shape }: Pick<SelectedStream, 'shape'>): boolean {
  if (!shape) return false;
  const { columns, outputs } = shape;
  const isUnchanged = ({ column, expression }: Output, index: number) =>
    isSameColumn(column, expression) && columns[index]?.name === column.name;
  return columns.length !== outputs.length || !outputs.every(isUnchanged);
}

/** A short text that is another one when a stream's filter or the computation of a column is; undefined while there is neither. */
export function shapeFingerprint({ shape }: SelectedStream): string | undefined {
  if (!shape) return undefined;
  const computed = shape.outputs.filter(({ column, expression }) => !isSameColumn(column, expression));
  if (!shape.filter && computed.length === 0) return undefined;
  // The value of a salt must not be guessed at from a state.
  const parts = [
    shape.filter?.condition,
    ...computed.map(({ column, expression }) => [column.name, column.type, withoutSalt(expression)]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

type Output = Shape['outputs'][number];
type Expression = Output['expression'];

/** Whether a column is one of the source's under its own name. */
const isSameColumn = (column: Column, expression: Expression): boolean =>
  'column' in expression && expression.column === column.name;

function withoutSalt(expression: Expression): unknown {
  return 'call' in expression && expression.call === 'hash' ? { hash: expression.arguments[0] } : expression;
}
