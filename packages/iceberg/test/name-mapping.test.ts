import { expect, test } from 'vitest';
import {
  NAME_MAPPING_PROPERTY,
  createNameMapping,
  createSchema,
  extendNameMapping,
  findMappedId,
  parseNameMapping,
} from '../src/index.ts';

const SCHEMA = createSchema([
  { name: 'id', type: 'long' },
  { name: 'tags', type: { type: 'list', element: { type: 'struct', fields: [{ name: 'k', type: 'string' }] } } },
]);

test('every field of a file without ids is found by its path', () => {
  const mapping = createNameMapping(SCHEMA);
  expect(findMappedId(mapping, ['id'])).toBe(1);
  expect(findMappedId(mapping, ['tags', 'element', 'k'])).toBe(4);
  expect(findMappedId(mapping, ['tags', 'k'])).toBeUndefined();
  expect(findMappedId(mapping, ['gone'])).toBeUndefined();
});

test('a mapping that others made keeps its names and gains new columns', () => {
  const mapping = [{ 'field-id': 1, names: ['id', 'record_id'] }, { names: ['unmapped'] }];
  const extended = extendNameMapping(mapping, SCHEMA);
  expect(findMappedId(extended, ['record_id'])).toBe(1);
  expect(findMappedId(extended, ['tags', 'element'])).toBe(3);
  expect(extended).toContainEqual({ names: ['unmapped'] });
});

test.each(['', '{}', '[1]', '[{"field-id": 1}]', '[{"names": [], "fields": 1}]'])(
  'the mapping %j is refused',
  (text) => {
    expect(() => parseNameMapping({ [NAME_MAPPING_PROPERTY]: text })).toThrow(
      expect.objectContaining({ code: 'invalid_metadata' }),
    );
  },
);
