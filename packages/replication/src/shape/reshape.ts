import type { Column, SelectedStream, Shape } from '@fjord/core';
import { arrowSchema, arrowType, columnData } from '@fjord/core/apache-arrow';
import { type Data, makeData, RecordBatch, RecordBatchReader, RecordBatchStreamWriter, Struct } from 'apache-arrow';
import type { EncodedBatch } from '../database.ts';
import { compileExpression } from './expression.ts';
import { changesRows } from './source-view.ts';
import { fillColumn } from './write-column.ts';

type Output = Shape['outputs'][number];

/** Turns a stream's batches, as the source reads them, into what was selected; undefined where they are that already. */
export function createReshaper({ shape }: SelectedStream): ((batch: EncodedBatch) => EncodedBatch) | undefined {
  if (!shape || !changesRows({ shape })) return undefined;
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

type ColumnNamed = (name: string) => Data;

/** Makes what computes an output from a batch. A column that only travels is not copied here, whatever its type. */
export function compileOutput(
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
