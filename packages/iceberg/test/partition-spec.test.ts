import { expect, test } from 'vitest';
import { createPartitionSpec, createSchema, parsePartitionTerm } from '../src/index.ts';

const SCHEMA = createSchema([
  { name: 'id', type: 'long' },
  { name: 'at', type: 'timestamptz' },
  { name: 'at_day', type: 'string' },
  { name: 'place', type: { type: 'struct', fields: [{ name: 'city', type: 'string' }] } },
]);

test.each([
  ['id', { column: 'id', transform: 'identity' }],
  ['identity(id)', { column: 'id', transform: 'identity' }],
  [' bucket( 16 , id ) ', { column: 'id', transform: 'bucket[16]' }],
  ['days(at)', { column: 'at', transform: 'day' }],
  ['truncate(8, "odd, ""name"")")', { column: 'odd, "name")', transform: 'truncate[8]' }],
  ['"a b"', { column: 'a b', transform: 'identity' }],
])('reads %s', (text, term) => {
  expect(parsePartitionTerm(text)).toEqual(term);
});

test.each(['', 'day(', 'week(at)', 'bucket(id)', 'bucket(0, id)', 'day(2, at)', 'a b'])('refuses "%s"', (text) => {
  expect(() => parsePartitionTerm(text)).toThrow(/not a column|number from 1/);
});

test('names fields as others do, apart from columns, and finds fields of structs', () => {
  const spec = createPartitionSpec(SCHEMA, ['day(at)', 'bucket(16, id)', 'place.city']);
  expect(spec).toEqual({
    'spec-id': 0,
    fields: [
      { 'source-id': 2, 'field-id': 1000, name: 'at_day_', transform: 'day' },
      { 'source-id': 1, 'field-id': 1001, name: 'id_bucket_16', transform: 'bucket[16]' },
      { 'source-id': 5, 'field-id': 1002, name: 'place.city', transform: 'identity' },
    ],
  });
});

test('an evolved spec keeps the ids of fields that were there before, and a spec that was there is itself', () => {
  const first = createPartitionSpec(SCHEMA, ['day(at)']);
  const second = createPartitionSpec(SCHEMA, ['bucket(4, id)'], {
    'partition-specs': [first],
    'last-partition-id': 1000,
  });
  expect(second).toMatchObject({ 'spec-id': 1, fields: [{ 'field-id': 1001 }] });
  const history = { 'partition-specs': [first, second], 'last-partition-id': 1001 };
  expect(createPartitionSpec(SCHEMA, ['day(at)'], history)).toBe(first);
  expect(createPartitionSpec(SCHEMA, [], history)).toEqual({ 'spec-id': 2, fields: [] });
  expect(createPartitionSpec(SCHEMA, ['bucket(4, id)', 'day(at)'], history).fields.map((f) => f['field-id'])).toEqual([
    1001, 1000,
  ]);
});

test('refuses what does not suit the schema', () => {
  expect(() => createPartitionSpec(SCHEMA, ['day(gone)'])).toThrow(/no column "gone"/);
  expect(() => createPartitionSpec(SCHEMA, ['day(id)'])).toThrow(/cannot be applied to column "id" of type long/);
  expect(() => createPartitionSpec(SCHEMA, ['id', 'identity(id)'])).toThrow(/named twice/);
});
