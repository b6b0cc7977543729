import { type Column, ConnectorError, type Expression, type SelectedStream } from '@fjord/core';
import { arrowSchema, arrowType, columnData } from '@fjord/core/apache-arrow';
import { CHANGE_COLUMNS, changeBatchColumns } from '@fjord/core/arrow';
import { type Data, makeData, RecordBatch, Struct } from 'apache-arrow';
import { compileCondition, type RowTest } from '../shape/condition.ts';
import { compileOutput } from '../shape/reshape.ts';
import { bytesReaderOf, readerOf } from '../shape/read-column.ts';
import { changesRows } from '../shape/source-view.ts';
import { fillColumn } from '../shape/write-column.ts';
import { type ChangeBatch, encodeBatch, readBatch } from './change-batch.ts';

/** Makes of a batch of the log, whose columns are given, the batches to send. */
export type ChangeShaper = (batch: ChangeBatch, columns: readonly Column[]) => ChangeBatch[];

type Shape = NonNullable<SelectedStream['shape']>;
type ColumnNamed = (name: string) => Data;

/**
 * Filters and transforms a stream's changes as its rows are when they are copied; undefined where it has neither. A row that does not
 * match any more is deleted; one that was created and does not match never comes.
 */
export function createChangeShaper({ stream, shape, primaryKey }: SelectedStream): ChangeShaper | undefined {
  if (!shape || (!shape.filter && !changesRows({ shape }))) return undefined;
  const outputs = shape.outputs.map((output) => ({
    ...output,
    compute: compileOutput(output, { columns: shape.columns, reject: () => undefined }),
    inputs: columnsOf(output.expression),
  }));
  const schema = arrowSchema(
    changeBatchColumns(
      shape.outputs.map(({ column }) => column),
      primaryKey,
    ),
  );
  const filter = shape.filter && compileCondition(shape.filter.condition, { columns: shape.filter.columns });
  return (batch, columns) => {
    requireColumns(shape, columns, stream);
    const read = readBatch(batch.body);
    const columnNamed = namedColumns(read);
    const fates = fatesOf(columnNamed, batch.rows, filter?.(columnNamed));
    const sets = outputs.map(({ inputs }) => columns.flatMap(({ name }, index) => (inputs.has(name) ? [index] : [])));
    const [, position, , committedAt] = CHANGE_COLUMNS.map(({ name }) => columnNamed(name));
    if (!position || !committedAt) throw new Error('a batch of changes has no place');
    const children = [
      ...outputs.map(({ compute }) => compute(columnNamed, batch.rows)),
      columnData(
        fillColumn('string', batch.rows, (row) => fates[row] ?? 'd'),
        arrowType('string'),
      ),
      position,
      columnData(fillColumn('binary', batch.rows, unsetReader(columnNamed('_unset'), sets)), arrowType('binary')),
      committedAt,
    ];
    const data = makeData({ type: new Struct(schema.fields), length: batch.rows, nullCount: 0, children });
    return keptRuns(new RecordBatch(schema, data), fates);
  };
}

type Fate = 'c' | 'u' | 'd' | undefined;

/** What each change is once the filter has seen its row; undefined for one that is not sent. */
function fatesOf(columnNamed: ColumnNamed, rows: number, matches: RowTest | undefined): Fate[] {
  const opOf = readerOf(columnNamed('_op'), 'string');
  return Array.from({ length: rows }, (_, row): Fate => {
    const op = opOf(row);
    if (op === 'd' || !matches || matches(row) === true) return op as Fate;
    return op === 'c' ? undefined : 'd';
  });
}

/** A computed column is unset where any column that it is computed from is. */
function unsetReader(data: Data, sets: number[][]): (row: number) => Uint8Array | null {
  const read = bytesReaderOf(data);
  return (row) => {
    const bits = read(row);
    if (bits === null) return null;
    const unset = new Uint8Array((sets.length + 7) >> 3);
    for (const [output, inputs] of sets.entries()) {
      if (inputs.some((index) => ((bits[index >> 3] ?? 0) >> (index & 7)) & 1))
        unset[output >> 3]! |= 1 << (output & 7);
    }
    return unset.some((byte) => byte !== 0) ? unset : null;
  };
}

/** The rows that are sent, as one batch for each run of them: so the two parts of a changed key stay together. */
function keptRuns(batch: RecordBatch, fates: readonly Fate[]): ChangeBatch[] {
  const runs: ChangeBatch[] = [];
  for (let from = 0; from < fates.length;) {
    let to = from;
    while (to < fates.length && fates[to] !== undefined) to += 1;
    if (to > from) runs.push(encodeBatch(to - from === fates.length ? batch : batch.slice(from, to)));
    from = to + 1;
  }
  return runs;
}

function namedColumns(batch: RecordBatch): ColumnNamed {
  const indexes = new Map(batch.schema.fields.map(({ name }, index) => [name, index]));
  return (name) => {
    const data = batch.data.children[indexes.get(name) ?? -1];
    if (!data) throw new Error(`a batch of changes has no column ${name}`);
    return data;
  };
}

function columnsOf(expression: Expression): Set<string> {
  if ('column' in expression) return new Set([expression.column]);
  if ('literal' in expression) return new Set();
  return new Set(expression.arguments.flatMap((argument) => [...columnsOf(argument)]));
}

/** A column that filters or transforms need must be in the log, with the type that they were made for. */
function requireColumns(shape: Shape, columns: readonly Column[], stream: string): void {
  const types = new Map(columns.map(({ name, type }) => [name, JSON.stringify(type)]));
  const changed = shape.columns.find(({ name, type }) => types.get(name) !== JSON.stringify(type));
  if (!changed) return;
  throw new ConnectorError(
    'source_object_missing',
    `Column "${changed.name}" of ${stream}, which its filter or columns need, was dropped, renamed or retyped.`,
    { stream, help: 'Correct the entry of the pipeline, and run the sync again.' },
  );
}
