import type { Column, SelectedStream } from '@fjord/core';
import { evolveSchema, renameColumns, type Schema, type Table } from '@fjord/iceberg';
import { expect, test } from 'vitest';
import { bindSchema, layOutRun } from '../../src/changes/run-layout.ts';
import { schemaForColumns, toIcebergColumns } from '../../src/table-schema.ts';

const selected = {
  stream: 's.t',
  writeMode: 'upsert',
  changes: { metadataColumns: false },
} as unknown as SelectedStream;

const column = (name: string, id?: string): Column => ({
  name,
  ...(id !== undefined && { id }),
  type: 'string',
  nullable: name !== 'k',
});

const tableOf = (schema: Schema) =>
  ({ metadata: { schemas: [{ ...schema, 'schema-id': 0 }], 'current-schema-id': 0 } }) as unknown as Table;

const grown = (schema: Schema, columns: Column[]) =>
  evolveSchema(schema, toIcebergColumns(columns), { lastColumnId: 100 }) ?? schema;

/** The names that a run's columns have, and those of the fields that they are. */
const namesOf = ({ columns, fields, carried }: ReturnType<typeof layOutRun>) => ({
  columns: columns.map(({ name }) => name),
  fields: fields.map(({ name }) => name),
  carried,
});

test('rows of an earlier version go into the columns that theirs were renamed to, whether the log tells their ids or not', () => {
  const first = schemaForColumns([column('k'), column('a'), column('b')], ['k']);
  for (const id of ['7.2', undefined]) {
    const columns = [column('k', '7.1'), column('a', id), column('b', '7.3')];
    const schema = bindSchema(tableOf(first), { version: 1, columns, primaryKey: ['k'] });
    // The name goes on to a column of its own.
    const later = [column('k', '7.1'), column('z', '7.2'), column('b', '7.3'), column('a', '7.4')];
    const table = tableOf(grown(renameColumns(first, new Map([['a', 'z']])), later));
    const newest = bindSchema(table, { version: 2, columns: later, primaryKey: ['k'] });
    const layout = layOutRun(table, { selected, schema, newest });
    expect(namesOf(layout)).toEqual({ columns: ['k', 'z', 'b', 'a'], fields: ['k', 'z', 'b', 'a'], carried: 3 });
    expect(layout.fields.slice(0, 3).map((field) => field.id)).toEqual(first.fields.map((field) => field.id));
  }
});

test('rows that are laid out while the table is being renamed go where they belong in the table as it was', () => {
  const columns = [column('k', '7.1'), column('a', '7.2')];
  const schema = schemaForColumns(columns, ['k']);
  const before = tableOf(schema);
  const known = bindSchema(before, { version: 1, columns, primaryKey: ['k'] });
  const after = tableOf(renameColumns(schema, new Map([['a', 'z']])));
  const later = [column('k', '7.1'), column('z', '7.2')];
  const newest = bindSchema(after, { version: 2, columns: later, primaryKey: ['k'] });
  const found = [before, after].map((table) => namesOf(layOutRun(table, { selected, schema: known, newest })).fields);
  expect(found).toEqual([
    ['k', 'a'],
    ['k', 'z'],
  ]);
});
