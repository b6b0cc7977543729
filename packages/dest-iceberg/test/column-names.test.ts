import type { Column } from '@fjord/core';
import { renameColumns } from '@fjord/iceberg';
import { expect, test } from 'vitest';
import { findPlaces, findRenames, noteColumns } from '../src/column-names.ts';
import { schemaForColumns } from '../src/table-schema.ts';

const columnsOf = (ids: Record<string, string>): Column[] =>
  Object.entries(ids).map(([id, name]) => ({ id, name, type: 'int', nullable: true }));
const plain = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'int', nullable: true }));

test.each([
  ['one is renamed', { 1: 'a', 2: 'b' }, { 1: 'a', 2: 'z' }, [], { b: 'z' }],
  ['two change names', { 1: 'a', 2: 'b' }, { 1: 'b', 2: 'a' }, [], { a: 'b', b: 'a' }],
  ['names go round', { 1: 'a', 2: 'b', 3: 'c' }, { 1: 'b', 2: 'c', 3: 'd' }, [], { a: 'b', b: 'c', c: 'd' }],
  ['the new name is that of a column that is gone', { 1: 'a' }, { 1: 'old' }, ['old'], {}],
  ['one stays, and so must the one that wanted its name', { 1: 'a', 2: 'b' }, { 1: 'old', 2: 'a' }, ['old'], {}],
  ['a dropped one was made again under its name', { 1: 'a' }, { 9: 'a' }, [], {}],
  ['the old name was given to a new one', { 1: 'a' }, { 1: 'z', 9: 'a' }, [], { a: 'z' }],
] as [string, Record<string, string>, Record<string, string>, string[], Record<string, string>][])(
  'renames where %s',
  (_, known, now, others, renames) => {
    const schema = schemaForColumns([...columnsOf(known), ...plain(...others)], []);
    const found = findRenames(schema, columnsOf(now), known);
    expect(Object.fromEntries(found)).toEqual(renames);
    const renamed = renameColumns(schema, found);
    expect(new Set(renamed.fields.map(({ name }) => name)).size).toBe(schema.fields.length);
    expect(renamed.fields.map(({ id }) => id)).toEqual(schema.fields.map(({ id }) => id));
  },
);

test.each([
  [
    'rows before a rename come again, and their name is that of another one now',
    { 1: 'b', 2: 'a' },
    { 1: 'a' },
    [],
    { a: 'b' },
  ],
  [
    'one cannot be renamed, nor the one that wanted its name',
    { 1: 'a', 2: 'b' },
    { 1: 'old', 2: 'a' },
    ['old'],
    { old: 'a', a: 'b' },
  ],
  ['a new one has the name that one would keep', { 1: 'a' }, { 1: 'old', 9: 'a' }, ['old'], {}],
  ['one is renamed in the table too', { 1: 'a' }, { 1: 'z' }, [], {}],
  ['none is known', { 1: 'a' }, { 9: 'a' }, [], {}],
] as [string, Record<string, string>, Record<string, string>, string[], Record<string, string>][])(
  'places where %s',
  (_, known, now, others, places) => {
    const schema = schemaForColumns([...columnsOf(known), ...plain(...others)], []);
    expect(Object.fromEntries(findPlaces(schema, columnsOf(now), known))).toEqual(places);
  },
);

test('what is noted keeps columns that the stream leaves out, and forgets those whose name another one has', () => {
  const schema = schemaForColumns(plain('a', 'b', 'left'), []);
  const known = { 1: 'a', 2: 'b', 3: 'left', 4: 'never there' };
  const noted = noteColumns(schema, columnsOf({ 1: 'a', 9: 'b' }), known);
  expect(JSON.parse(noted ?? '')).toEqual({ 1: 'a', 3: 'left', 9: 'b' });
  expect(noteColumns(schema, columnsOf({ 1: 'a', 9: 'b' }), JSON.parse(noted ?? ''))).toBeUndefined();
  expect(noteColumns(schema, plain('a', 'b'), {})).toBeUndefined();
});
