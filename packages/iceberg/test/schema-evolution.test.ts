import { describe, expect, test } from 'vitest';
import { type Column, type ColumnType, createSchema, evolveSchema, fileFields } from '../src/index.ts';

const table = (type: ColumnType, required = false) => createSchema([{ name: 'c', type, required }]);
const evolve = (from: ColumnType, to: ColumnType, onIncompatible?: 'new-column') =>
  evolveSchema(table(from), [{ name: 'c', type: to }], { lastColumnId: 9, onIncompatible });
const struct = (...fields: Column[]): ColumnType => ({ type: 'struct', fields });
const list = (element: ColumnType): ColumnType => ({ type: 'list', element });

test.each<[ColumnType, ColumnType]>([
  ['int', 'long'],
  ['float', 'double'],
  ['decimal(9, 2)', 'decimal(12, 2)'],
])('%s is widened to %s, keeps its id, and files of the narrower type are still written', (narrow, wide) => {
  const evolved = evolve(narrow, wide);
  expect(evolved?.fields).toMatchObject([{ id: 1, name: 'c', type: wide }]);
  expect(evolve(wide, narrow)).toBeUndefined();
  expect(fileFields(table(wide), [{ name: 'c', type: narrow }])).toMatchObject([{ id: 1, type: narrow }]);
});

test.each<[ColumnType, ColumnType]>([
  ['long', 'string'],
  ['long', 'double'],
  ['decimal(9, 2)', 'decimal(9, 3)'],
  ['date', 'timestamp'],
  ['timestamp', 'timestamptz'],
  ['fixed[4]', 'fixed[8]'],
  ['string', list('string')],
  [struct({ name: 'a', type: 'int' }), list('int')],
  [struct({ name: 'a', type: 'int' }), struct({ name: 'a', type: 'string' })],
  [
    { type: 'map', key: 'int', value: 'int' },
    { type: 'map', key: 'long', value: 'int' },
  ],
])('%j to %j fails, or goes into a column of its own', (from, to) => {
  expect(() => evolve(from, to)).toThrow(expect.objectContaining({ code: 'schema_incompatible' }));
  const evolved = evolve(from, to, 'new-column');
  expect(evolved?.fields).toHaveLength(2);
  expect(evolved?.fields[1]).toMatchObject({ id: 10, required: false });
  expect(evolved?.fields[1]?.name).toMatch(/^c__[a-z]+/);
  // The next run finds the column that was made for it, and a return to the old type finds the old one.
  expect(
    evolveSchema(evolved!, [{ name: 'c', type: to }], { lastColumnId: 99, onIncompatible: 'new-column' }),
  ).toBeUndefined();
  expect(fileFields(evolved!, [{ name: 'c', type: to }])).toMatchObject([{ id: 10 }]);
  expect(fileFields(evolved!, [{ name: 'c', type: from }])).toMatchObject([{ id: 1 }]);
});

test('new columns follow, whatever was there is optional once rows lack it, and identifiers go with it', () => {
  const schema = createSchema(
    [
      { name: 'id', type: 'long', required: true },
      { name: 'old', type: 'string', required: true },
    ],
    { identifier: ['id'] },
  );
  const columns: Column[] = [
    { name: 'id', type: 'int', required: true },
    { name: 'new', type: list('int'), required: true, doc: 'why' },
  ];
  expect(evolveSchema(schema, columns, { lastColumnId: 7 })).toMatchObject({
    fields: [
      { id: 1, name: 'id', required: true, type: 'long' },
      { id: 2, name: 'old', required: false },
      { id: 8, name: 'new', required: false, doc: 'why', type: { 'element-id': 9 } },
    ],
    'identifier-field-ids': [1],
  });
  const nullable = evolveSchema(schema, [{ name: 'id', type: 'long' }], { lastColumnId: 7 });
  expect(nullable).toMatchObject({ fields: [{ required: false }, { required: false }], 'identifier-field-ids': [] });
});

test('structs grow inside lists and maps, and the file has the fields in the order of the rows', () => {
  const before = struct({ name: 'a', type: 'int', required: true }, { name: 'b', type: 'string' });
  const after = struct({ name: 'n', type: 'date' }, { name: 'b', type: 'string' }, { name: 'a', type: 'long' });
  const schema = table({ type: 'map', key: 'string', value: list(before) });
  const column = { name: 'c', type: { type: 'map', key: 'string', value: list(after) } as ColumnType };
  const evolved = evolveSchema(schema, [column], { lastColumnId: 6 });
  expect(evolved?.fields[0]?.type).toMatchObject({
    value: {
      element: {
        fields: [
          { id: 5, name: 'a', required: false, type: 'long' },
          { id: 6, name: 'b' },
          { id: 7, name: 'n', required: false, type: 'date' },
        ],
      },
    },
  });
  expect(fileFields(evolved!, [column])[0]?.type).toMatchObject({
    value: { element: { fields: [{ id: 7, name: 'n' }, { id: 6 }, { id: 5, type: 'long' }] } },
  });
});

describe('a column made for a type', () => {
  test('does not take the name of a column that is there, nor one of the rows', () => {
    const schema = createSchema([
      { name: 'c', type: 'int' },
      { name: 'c__string', type: 'int' },
    ]);
    const columns: Column[] = [
      { name: 'c', type: 'string' },
      { name: 'c__string', type: 'int' },
    ];
    const evolved = evolveSchema(schema, columns, { lastColumnId: 2, onIncompatible: 'new-column' });
    expect(evolved?.fields.map(({ name }) => name)).toEqual(['c', 'c__string', 'c__string_2']);
    expect(fileFields(evolved!, columns).map(({ id }) => id)).toEqual([3, 2]);
  });
});
