import { createHash } from 'node:crypto';
import type { Column, SelectedStream, Shape } from '@fjord/core';
import { arrowSchema, arrowType, columnData } from '@fjord/core/arrow';
import { type Data, makeData, RecordBatch, RecordBatchReader, RecordBatchStreamWriter, Struct } from 'apache-arrow';
import type { EncodedBatch } from '../database.ts';
import { compileExpression } from './expression.ts';
import { fillColumn } from './write-column.ts';

/** The stream as its source knows it: the columns to read, under the source's own names. What a `Database` is given. */
export function sourceView(selected: SelectedStream): SelectedStream {
  const { shape } = selected;
  return shape ? { ...selected, columns: shape.columns, primaryKey: shape.primaryKey } : selected;
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

const isSameColumn = (column: Column, expression: Output['expression']) =>
  'column' in expression && expression.column === column.name;

function withoutSalt(expression: Output['expression']): unknown {
  return 'call' in expression && expression.call === 'hash' ? { hash: expression.arguments[0] } : expression;
}

/** Turns a stream's batches, as the source reads them, into what was selected; undefined where they are that already. */
export function createReshaper({ shape }: SelectedStream): ((batch: EncodedBatch) => EncodedBatch) | undefined {
  if (!shape || isUnchanged(shape)) return undefined;
  const columns = shape.outputs.map(({ column }) => column);
  const schema = arrowSchema(columns);
  let rejected: Record<string, number> = {};
  const outputs = shape.outputs.map((output) =>
    compileOutput(output, {
      columns: shape.columns,
      reject: () => (rejected[output.column.name] = (rejected[output.column.name] ?? 0) + 1),
    }),
  );
  return (batch) => {
    if (batch.rows === 0) return { ...batch, rejected: renameRejected(batch.rejected, shape) };
    rejected = renameRejected(batch.rejected, shape);
    const read = readBatch(batch);
    const children = outputs.map((compute) => compute(read.columnNamed, batch.rows));
    const type = new Struct(schema.fields);
    const data = makeData({ type, length: batch.rows, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(schema, data));
    writer.finish();
    return { rows: batch.rows, body: [writer.toUint8Array(true)], rejected };
  };
}

const isUnchanged = ({ columns, outputs }: Shape) =>
  columns.length === outputs.length &&
  outputs.every(({ column, expression }, index) => {
    return isSameColumn(column, expression) && columns[index]?.name === column.name;
  });

type ColumnNamed = (name: string) => Data;

/** A column that only travels is not copied here, whatever its type. */
function compileOutput(
  { column, expression }: Output,
  context: { columns: Column[]; reject(): void },
): (columnNamed: ColumnNamed, rows: number) => Data {
  if ('column' in expression) return (columnNamed) => columnNamed(expression.column);
  const { type } = column;
  if (typeof type !== 'string') throw new Error(`column ${column.name} is computed and has no primitive type`);
  const bind = compileExpression(expression, context);
  return (columnNamed, rows) => columnData(fillColumn(type, rows, bind(columnNamed)), arrowType(type));
}

function readBatch({ body }: EncodedBatch): { columnNamed: ColumnNamed } {
  const [batch] = RecordBatchReader.from(body.length === 1 && body[0] ? body[0] : Buffer.concat(body));
  const names = new Map(batch?.schema.fields.map(({ name }, index) => [name, index]));
  return {
    columnNamed(name) {
      const data = batch?.data.children[names.get(name) ?? -1];
      if (!data) throw new Error(`the batch has no column ${name}`);
      return data;
    },
  };
}

/** What the source could not represent counts for the column that shows it, or, if none does, for the source's name. */
function renameRejected(rejected: Record<string, number>, { columns, outputs }: Shape): Record<string, number> {
  const shown = new Map(
    outputs.flatMap(({ column, expression }) => ('column' in expression ? [[expression.column, column.name]] : [])),
  );
  // A place may lie within a column (`tags.element`), and a column's own name may hold dots: the longest that fits is meant.
  const names = columns.map(({ name }) => name).sort((a, b) => b.length - a.length);
  const rename = (place: string) => {
    const name = names.find((column) => place === column || place.startsWith(`${column}.`)) ?? place;
    return (shown.get(name) ?? name) + place.slice(name.length);
  };
  return Object.fromEntries(Object.entries(rejected).map(([place, count]) => [rename(place), count]));
}
