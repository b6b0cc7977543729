import type { Column, SelectedStream, Shape } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import {
  appendRecord,
  BatchBuilder,
  CHANGE_COLUMNS,
  changeBatchColumns,
  changeToRow,
  rowToChange,
} from '@fjord/core/arrow';
import { expect, test } from 'vitest';
import { createChangeShaper } from '../../src/changes/change-shape.ts';
import { completeRows } from '../../src/changes/complete-rows.ts';

const columns: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'country', type: 'string', nullable: true },
  { name: 'secret', type: 'string', nullable: true },
];
const position = (row: number) => row.toString(16).padStart(32, '0');
type Change = { op: 'c' | 'u' | 'd'; data: Record<string, unknown>; unset?: string[] };

function batchOf(changes: Change[]) {
  const builder = new BatchBuilder(changeBatchColumns(columns, ['id']));
  for (const [row, change] of changes.entries()) {
    const record = { type: 'RECORD', stream: 's', position: position(row), ...change } as const;
    appendRecord(builder, changeToRow(record, columns));
  }
  return builder.finish();
}

const outputs: Shape['outputs'] = [
  { column: { name: 'key', type: 'long', nullable: false }, expression: { column: 'id' } },
  {
    column: { name: 'short', type: 'string', nullable: true },
    expression: { call: 'upper', arguments: [{ column: 'secret' }], type: 'string' },
  },
];
const selectedOf = (shape: Partial<Shape>): SelectedStream => ({
  stream: 's',
  name: 's',
  columns: outputs.map(({ column }) => column),
  primaryKey: ['key'],
  writeMode: 'upsert',
  changes: {},
  target: { namespace: [], name: 's' },
  shape: { columns, primaryKey: ['id'], outputs, ...shape },
});
const filter = { condition: { column: 'country', compare: '=', value: 'DE' } as const, columns };

/** Runs of changes as they are sent. */
const shaped = (changes: Change[], shape: Partial<Shape> = { filter }) =>
  createChangeShaper(selectedOf(shape))?.(batchOf(changes), columns).map(({ rows, body }) => {
    const sent = [...batchToRecords(body, [...outputs.map(({ column }) => column), ...CHANGE_COLUMNS])];
    expect(sent).toHaveLength(rows);
    return sent.map((row) => {
      const { op, data, unset } = rowToChange(
        row,
        outputs.map(({ column }) => column),
      );
      return [op, ...Object.values(data), ...(unset ?? []).map((name) => `no ${name}`)].join(' ');
    });
  });

test('a row that stops matching is deleted, one that begins to match is sent, one that was created outside never comes', () => {
  const of = (op: Change['op'], id: string, country: string | null): Change => ({
    op,
    data: { id, country, secret: 'x' },
  });
  expect(
    shaped([
      of('c', '1', 'DE'),
      of('u', '2', 'FR'),
      of('c', '3', 'FR'),
      of('u', '4', null),
      of('d', '5', null),
      of('u', '6', 'DE'),
    ]),
  ).toEqual([
    ['c 1 X', 'd 2 X'],
    ['d 4 X', 'd 5 X', 'u 6 X'],
  ]);
  expect(shaped([of('c', '3', 'FR')])).toEqual([]);
});

test('columns are renamed and computed; what is computed from a column that the log did not carry is unset too', () => {
  const change: Change = { op: 'u', data: { id: '1' }, unset: ['secret'] };
  expect(shaped([change, { op: 'u', data: { id: '2', secret: 'y' }, unset: ['country'] }], {})).toEqual([
    ['u 1 no short', 'u 2 Y'],
  ]);
});

test('a column that is needed and has another type is refused with its name', () => {
  const shape = createChangeShaper(selectedOf({}));
  const other = columns.map((column) => (column.name === 'secret' ? { ...column, type: 'int' } : column));
  expect(() => shape?.(batchOf([{ op: 'c', data: { id: '1' } }]), other)).toThrow('Column "secret" of s');
});

test('what the log did not carry is read by key; a row that is gone is left out', async () => {
  const asked: unknown[] = [];
  const read = (_: SelectedStream, keys: Record<string, unknown>[]) => {
    asked.push(...keys.map(({ id }) => id));
    return Promise.resolve([{ id: '2', country: 'now', secret: 'whole' }]);
  };
  const stream = { selected: selectedOf({}), columns };
  const whole: Change[] = [
    { op: 'c', data: { id: '1' } },
    { op: 'd', data: { id: '9' }, unset: ['secret'] },
  ];
  expect(await completeRows(batchOf(whole), stream, read)).toBeUndefined();
  const partial: Change[] = [
    { op: 'u', data: { id: '2', country: 'then' }, unset: ['secret'] },
    { op: 'u', data: { id: '3', country: 'then' }, unset: ['secret'] },
  ];
  const completed = await completeRows(batchOf([...whole, ...partial]), stream, read);
  expect(asked).toEqual(['2', '3']);
  expect(
    [...batchToRecords(completed?.body ?? [], [...columns, ...CHANGE_COLUMNS])].map((row) => rowToChange(row, columns)),
  ).toEqual([
    expect.objectContaining({ op: 'c', data: { id: '1', country: null, secret: null } }),
    expect.objectContaining({ op: 'd', unset: ['secret'] }),
    { op: 'u', data: { id: '2', country: 'then', secret: 'whole' }, position: position(2) },
  ]);
});
