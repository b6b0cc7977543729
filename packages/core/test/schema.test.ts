import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Type as TypeBox } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, test } from 'vitest';
import { fits, type TSchema, Type } from '../src/schema.ts';

/** Every form that schemas of ours have, made once by each builder. */
const FORMS = (make: typeof Type): Record<string, TSchema> => ({
  text: make.String({ title: 'Text', pattern: '^a+$' }),
  number: make.Number({ exclusiveMinimum: 0 }),
  integer: make.Integer({ minimum: 1 }),
  boolean: make.Boolean({ default: true }),
  nothing: make.Null(),
  literal: make.Literal('one', { description: 'Just this.' }),
  union: make.Union([make.Literal(1), make.Literal('two'), make.Boolean()], { default: 1 }),
  'union of one': make.Union([make.Literal('one')]),
  list: make.Array(make.String(), { minItems: 1 }),
  tuple: make.Tuple([make.String(), make.Integer()]),
  object: make.Object({ a: make.String(), b: make.Optional(make.Integer()) }, { additionalProperties: false }),
  'object of optional properties': make.Object({ a: make.Optional(make.String({ title: 'A' })) }),
  record: make.Record(make.String(), make.Integer()),
  unsafe: make.Unsafe<string>({ type: 'string', format: 'x' }),
  'optional unsafe': make.Object({ a: make.Unsafe<unknown>({}), b: make.Optional(make.Unsafe<unknown>({})) }),
  recursive: make.Recursive((self) => make.Object({ next: make.Optional(self) }), { $id: 'Next' }),
});
const OURS = FORMS(Type);
const THEIRS = FORMS(TypeBox);

test.each(Object.keys(OURS))('%s is the schema that TypeBox makes', (name) => {
  expect(JSON.stringify(OURS[name])).toBe(JSON.stringify(THEIRS[name]));
});

test('properties that TypeBox marks as optional are optional here, and the other way round', () => {
  const ours = Type.Object({ a: TypeBox.Optional(TypeBox.String()), b: TypeBox.String() });
  const theirs = TypeBox.Object({ a: Type.Optional(Type.String()), b: Type.String() });
  expect([ours['required'], theirs['required']]).toEqual([['b'], ['b']]);
});

describe('a value fits a schema where TypeBox says so', () => {
  const VALUES: unknown[] = [
    'aa',
    'b',
    0,
    1,
    1.5,
    NaN,
    true,
    null,
    undefined,
    'one',
    [],
    ['a'],
    ['a', 1],
    ['a', 1, 2],
    ['a', 'b'],
    {},
    { a: 'x' },
    { a: 'x', b: 1 },
    { a: 'x', b: 1.5 },
    { a: 1 },
  ];
  const CHECKED = ['text', 'number', 'integer', 'boolean', 'nothing', 'literal', 'union', 'list', 'tuple'];
  test.each(CHECKED)('%s', (name) => {
    const [ours, theirs] = [OURS[name], THEIRS[name]];
    if (!ours || !theirs) throw new Error('no such form');
    expect(VALUES.map((value) => fits(ours, value))).toEqual(VALUES.map((value) => Value.Check(theirs, value)));
  });

  test('object', () => {
    const form = (make: typeof Type) => make.Object({ a: make.String(), b: make.Optional(make.Integer()) });
    expect(VALUES.map((value) => fits(form(Type), value))).toEqual(
      VALUES.map((value) => Value.Check(form(TypeBox), value)),
    );
  });

  test('a keyword that is not checked here is refused', () => {
    expect(() => fits(Type.Object({}, { additionalProperties: false }), {})).toThrow('additionalProperties');
  });
});

test('no source but schema.ts names TypeBox, which is loaded as a whole', () => {
  const packages = path.resolve(import.meta.dirname, '../..');
  const naming = globSync('*/src/**/*.ts', { cwd: packages }).filter((file) =>
    readFileSync(path.join(packages, file), 'utf8').includes("'@sinclair/typebox"),
  );
  expect(naming).toEqual(['core/src/schema.ts']);
});
