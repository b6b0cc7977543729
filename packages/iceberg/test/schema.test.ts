import { describe, expect, test } from 'vitest';
import { type Column, createSchema, fieldsById, highestFieldId, parsePrimitive } from '../src/index.ts';

describe('createSchema', () => {
  test('gives ids to columns first and then to what is nested in them', () => {
    const schema = createSchema([
      { name: 'tags', type: { type: 'list', element: 'string' } },
      { name: 'address', type: { type: 'struct', fields: [{ name: 'city', type: 'string', doc: 'where' }] } },
      { name: 'prices', type: { type: 'map', key: 'string', value: 'decimal(10, 2)', 'value-required': true } },
      { name: 'id', type: 'long', required: true },
    ]);
    expect(schema).toEqual({
      type: 'struct',
      'schema-id': 0,
      'identifier-field-ids': [],
      fields: [
        {
          id: 1,
          name: 'tags',
          required: false,
          type: { type: 'list', 'element-id': 5, 'element-required': false, element: 'string' },
        },
        {
          id: 2,
          name: 'address',
          required: false,
          type: { type: 'struct', fields: [{ id: 6, name: 'city', required: false, type: 'string', doc: 'where' }] },
        },
        {
          id: 3,
          name: 'prices',
          required: false,
          type: {
            type: 'map',
            'key-id': 7,
            key: 'string',
            'value-id': 8,
            'value-required': true,
            value: 'decimal(10, 2)',
          },
        },
        { id: 4, name: 'id', required: true, type: 'long' },
      ],
    });
    expect(highestFieldId(schema)).toBe(8);
    expect(fieldsById(schema).get(5)?.name).toBe('element');
  });

  test('keeps identifier columns by id', () => {
    const schema = createSchema(
      [
        { name: 'a', type: 'int' },
        { name: 'b', type: 'uuid', required: true },
      ],
      { identifier: ['b'] },
    );
    expect(schema['identifier-field-ids']).toEqual([2]);
  });

  test.each<[string, Column[], string[]]>([
    ['an identifier that may be null', [{ name: 'a', type: 'int' }], ['a']],
    ['a floating point identifier', [{ name: 'a', type: 'double', required: true }], ['a']],
    ['an identifier that is no column', [{ name: 'a', type: 'int', required: true }], ['b']],
    [
      'two columns of one name',
      [
        { name: 'a', type: 'int' },
        { name: 'a', type: 'int' },
      ],
      [],
    ],
    ['a decimal that is too wide', [{ name: 'a', type: 'decimal(39, 2)' }], []],
  ])('refuses %s', (_what, columns, identifier) => {
    expect(() => createSchema(columns, { identifier })).toThrow(expect.objectContaining({ name: 'IcebergError' }));
  });
});

test.each([
  ['decimal(9,2)', { kind: 'decimal', precision: 9, scale: 2 }],
  ['decimal(38, 0)', { kind: 'decimal', precision: 38, scale: 0 }],
  ['fixed[16]', { kind: 'fixed', length: 16 }],
  ['timestamptz', { kind: 'timestamptz' }],
])('type %s is taken apart', (type, expected) => {
  expect(parsePrimitive(type)).toEqual(expected);
});

test('an unknown type is refused by its name', () => {
  expect(() => parsePrimitive('money')).toThrow('"money" is not an Iceberg type.');
});
