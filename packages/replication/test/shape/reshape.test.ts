import { createHmac } from 'node:crypto';
import type { Column, Expression, SelectedStream, Shape } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReshaper } from '../../src/shape/reshape.ts';
import { shapeFingerprint, sourceView } from '../../src/shape/source-view.ts';

const nullable = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });

/** One batch of one row per value of a column `c` (or several), reshaped into outputs of the given expressions. */
function compute(columns: Column[], rows: Record<string, unknown>[], expressions: [Expression, string][]) {
  const outputs = expressions.map(([expression, type], index) => ({ column: nullable(`r${index}`, type), expression }));
  const reshape = createReshaper(streamOf({ columns, primaryKey: [], outputs }));
  if (!reshape) throw new Error('there is nothing to reshape');
  const builder = new BatchBuilder(columns);
  for (const row of rows) appendRecord(builder, row);
  const batch = reshape({ ...builder.finish(), rejected: {} });
  const records = [
    ...batchToRecords(
      batch.body,
      outputs.map(({ column }) => column),
    ),
  ];
  return { values: records.map((record) => record['r0']), records, rejected: batch.rejected };
}

const streamOf = (shape: Shape): SelectedStream => ({
  stream: 's',
  name: 's',
  columns: shape.outputs.map(({ column }) => column),
  primaryKey: [],
  writeMode: 'append',
  target: { namespace: ['n'], name: 's' },
  shape,
});

const C: Expression = { column: 'c' };
const literal = (value: string | number | boolean, type: string): Expression => ({ literal: value, type });
const call = (name: string, type: string, ...rest: Expression[]): Expression => ({
  call: name,
  arguments: [C, ...rest],
  type,
});
const cast = (type: string) => call('cast', type);
const text = (value: string) => literal(value, 'string');
const mask = (first: number, last: number, filler = '*') =>
  call('mask', 'string', literal(first, 'int'), literal(last, 'int'), text(filler));
const json = (path: string) => call('json', 'string', text(path));
const big = (name: string, other: string) => call(name, 'long', literal(other, 'long'));

test.each<[name: string, type: string, value: unknown, expression: Expression, type: string, result: unknown]>([
  ['mask', 'string', '4111111111111111', mask(0, 4), 'string', '************1111'],
  ['mask by characters', 'string', 'a😀b😀c', mask(2, 1), 'string', 'a😀**c'],
  ['mask hides all of what is short', 'string', 'abc', mask(1, 2), 'string', '***'],
  ['mask of an empty text', 'string', '', mask(0, 0), 'string', ''],
  ['mask of a number', 'long', '-1234', mask(0, 2, '#'), 'string', '###34'],
  ['mask of null', 'string', null, mask(0, 2), 'string', null],
  ['a fixed text', 'string', 'x', call('replace', 'string', text('hidden')), 'string', 'hidden'],
  ['a fixed text for null', 'string', null, call('replace', 'string', text('hidden')), 'string', null],
  [
    'substring from before the start',
    'string',
    'abc',
    call('substring', 'string', literal('-1', 'long'), literal('3', 'long')),
    'string',
    'a',
  ],
  ['substring beyond the end', 'string', 'abc', call('substring', 'string', literal('9', 'long')), 'string', ''],
  [
    'substring of characters',
    'string',
    '😀bc',
    call('substring', 'string', literal('1', 'long'), literal('2', 'long')),
    'string',
    '😀b',
  ],
  ['lower of İ', 'string', 'ÀİΣ', call('lower', 'string'), 'string', 'ÀİΣ'.toLowerCase()],
  ['json text', 'string', '{"a":{"b":"x"}}', json('$.a.b'), 'string', 'x'],
  ['json keeps digits', 'string', '{"n": 12345678901234567890.10}', json('$.n'), 'string', '12345678901234567890.10'],
  ['json object', 'string', '{"a": {"b": [1, 1e400, null]}}', json('$.a'), 'string', '{"b":[1,1e400,null]}'],
  ['json index', 'string', '[["a"], ["b"]]', json('$[1][0]'), 'string', 'b'],
  ['json quoted key', 'string', '{"a b": true}', json('$["a b"]'), 'string', 'true'],
  ['json null', 'string', '{"a": null}', json('$.a'), 'string', null],
  ['json missing', 'string', '{}', json('$.a.b'), 'string', null],
  ['json inherited', 'string', '{}', json('$.constructor'), 'string', null],
  ['json length of an array', 'string', '[1]', json('$.length'), 'string', null],
  ['cast long to int', 'long', '2147483647', cast('int'), 'int', 2147483647],
  ['cast double toward zero', 'double', -2.9, cast('long'), 'long', '-2'],
  ['cast double by its text', 'double', 0.1, cast('decimal(20,18)'), 'decimal(20,18)', '0.100000000000000000'],
  ['cast large double', 'double', 1.5e20, cast('decimal(38,1)'), 'decimal(38,1)', '150000000000000000000.0'],
  ['cast small double', 'double', 1.25e-3, cast('decimal(9,4)'), 'decimal(9,4)', '0.0013'],
  ['cast halves away from zero', 'decimal(9,3)', '-0.125', cast('decimal(9,2)'), 'decimal(9,2)', '-0.13'],
  ['cast decimal to double', 'decimal(38,20)', '0.10000000000000000555', cast('double'), 'double', 0.1],
  ['cast text to decimal', 'string', ' 12.345 ', cast('decimal(5,2)'), 'decimal(5,2)', '12.35'],
  ['cast text to double', 'string', '1e3', cast('double'), 'double', 1000],
  ['cast text to boolean', 'string', 'true', cast('boolean'), 'boolean', true],
  [
    'cast text to timestamptz',
    'string',
    '2024-02-29 12:00:00+02:00',
    cast('timestamptz'),
    'timestamptz',
    '2024-02-29T10:00:00.000000Z',
  ],
  ['cast boolean to text', 'boolean', false, cast('string'), 'string', 'false'],
  ['cast date before 1970', 'timestamp', '1969-12-31T23:59:59.999999', cast('date'), 'date', '1969-12-31'],
  ['cast timestamp to time', 'timestamp', '1969-12-31T23:59:59.999999', cast('time'), 'time', '23:59:59.999999'],
  ['cast date to timestamp', 'date', '1969-12-31', cast('timestamp'), 'timestamp', '1969-12-31T00:00:00.000000'],
  ['year 1', 'date', '0001-01-01', call('year', 'int'), 'int', 1],
  ['sum of longs', 'long', '9223372036854775806', big('+', '1'), 'long', '9223372036854775807'],
  [
    'negative decimal product',
    'decimal(10,2)',
    '-1.01',
    call('*', 'decimal(13,4)', literal('1.19', 'decimal(3,2)')),
    'decimal(13,4)',
    '-1.2019',
  ],
])('%s', (_, type, value, expression, resultType, result) => {
  const { values, rejected } = compute([nullable('c', type)], [{ c: value }], [[expression, resultType]]);
  expect(values).toEqual([result]);
  expect(rejected).toEqual({});
});

test.each<[name: string, type: string, value: unknown, expression: Expression, type: string]>([
  ['a sum beyond a long', 'long', '9223372036854775807', big('+', '1'), 'long'],
  [
    'a product beyond 38 digits',
    'decimal(38,0)',
    '9'.repeat(38),
    call('*', 'decimal(38,0)', literal('2', 'long')),
    'decimal(38,0)',
  ],
  ['a division by zero', 'int', 1, call('/', 'double', literal(0, 'double')), 'double'],
  ['an int that a long does not fit', 'long', '2147483648', cast('int'), 'int'],
  ['NaN as a decimal', 'double', 'NaN', cast('decimal(9,2)'), 'decimal(9,2)'],
  ['infinity as a long', 'double', 'Infinity', cast('long'), 'long'],
  ['text that is no date', 'string', '2023-02-29', cast('date'), 'date'],
  ['text that is no json', 'string', '{', json('$.a'), 'string'],
])('%s is null and counted', (_, type, value, expression, resultType) => {
  const { values, rejected } = compute([nullable('c', type)], [{ c: value }, { c: null }], [[expression, resultType]]);
  expect(values).toEqual([null, null]);
  expect(rejected).toEqual({ r0: 1 });
});

const hash = call('hash', 'string', text('key'));
const hmac = (key: string, message: string | Buffer) => createHmac('sha256', key).update(message).digest('hex');

test.each<[type: string, value: unknown, message: string | Buffer]>([
  ['string', 'häsh', 'häsh'],
  ['string', '', ''],
  ['long', '-5', '-5'],
  ['int', 7, '7'],
  ['decimal(9,2)', '1.50', '1.50'],
  ['date', '2024-02-29', '2024-02-29'],
  ['timestamptz', '2024-02-29T00:00:00.5Z', '2024-02-29T00:00:00.500000Z'],
  ['boolean', true, 'true'],
  ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
  ['binary', Buffer.from([0, 255]).toString('base64'), Buffer.from([0, 255])],
])('a %s is hashed by HMAC-SHA256 of its text or bytes', (type, value, message) => {
  expect(compute([nullable('c', type)], [{ c: value }], [[hash, 'string']]).values).toEqual([hmac('key', message)]);
});

test('hashes are those of an independent HMAC for any key and text, in any order of lengths', () => {
  const word = fc.string({ unit: 'grapheme', maxLength: 3000, size: 'max' });
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.array(word, { minLength: 1, maxLength: 5 }),
      (key, words) => {
        const keyed = call('hash', 'string', text(key));
        const { values } = compute(
          [nullable('c', 'string')],
          words.map((c) => ({ c })),
          [[keyed, 'string']],
        );
        expect(values).toEqual(words.map((c) => hmac(key, c)));
      },
    ),
    { numRuns: 50 },
  );
});

test('nulls make null, but concat leaves them out and coalesce looks further', () => {
  const columns = [nullable('c', 'string'), nullable('d', 'string')];
  const rows = [
    { c: 'a', d: 'b' },
    { c: null, d: 'b' },
    { c: null, d: null },
  ];
  const d: Expression = { column: 'd' };
  const { records } = compute(columns, rows, [
    [call('concat', 'string', text('-'), d), 'string'],
    [call('coalesce', 'string', d), 'string'],
    [call('upper', 'string'), 'string'],
  ]);
  expect(records).toEqual([
    { r0: 'a-b', r1: 'a', r2: 'A' },
    { r0: '-b', r1: 'b', r2: null },
    { r0: '-', r1: null, r2: null },
  ]);
});

test('columns travel as they are under other names, nested ones too, and keep what the source counted', () => {
  const list: Column['type'] = { type: 'list', element: 'int' };
  const columns = [nullable('a', list), nullable('b', 'decimal(38,2)')];
  const outputs = [
    { column: nullable('y', 'decimal(38,2)'), expression: { column: 'b' } },
    { column: nullable('x', list), expression: { column: 'a' } },
    { column: nullable('one', 'int'), expression: { literal: 1, type: 'int' } },
  ];
  const reshape = createReshaper(streamOf({ columns, primaryKey: [], outputs }));
  const builder = new BatchBuilder(columns);
  const rows = [
    { a: [1, null], b: '99999999999999999999999999999999999.99' },
    { a: null, b: '-0.01' },
    { a: [], b: null },
  ];
  for (const row of rows) appendRecord(builder, row);
  const batch = reshape?.({ ...builder.finish(), rejected: { b: 2 } });
  const selected = outputs.map(({ column }) => column);
  expect([...batchToRecords(batch?.body ?? [], selected)]).toEqual(rows.map(({ a, b }) => ({ y: b, x: a, one: 1 })));
  expect(batch?.rejected).toEqual({ y: 2 });
});

test('a rejected value within a column counts for the name that shows the column', () => {
  const list: Column['type'] = { type: 'list', element: 'int' };
  const columns = [nullable('tags', list), nullable('tags.old', list), nullable('element', 'int')];
  const outputs = columns.map((column, index) => ({
    column: nullable(`r${index}`, column.type),
    expression: { column: column.name },
  }));
  const reshape = createReshaper(streamOf({ columns, primaryKey: [], outputs }));
  const rejected = { 'tags.element': 1, 'tags.old.element': 2, element: 3, 'hidden.element': 4 };
  expect(reshape?.({ rows: 0, body: [], rejected }).rejected).toEqual({
    'r0.element': 1,
    'r1.element': 2,
    r2: 3,
    'hidden.element': 4,
  });
});

test('a batch without rows passes', () => {
  const reshape = createReshaper(
    streamOf({
      columns: [nullable('c', 'string')],
      primaryKey: [],
      outputs: [{ column: nullable('r', 'string'), expression: hash }],
    }),
  );
  expect(reshape?.({ rows: 0, body: [], rejected: { c: 1 } })).toEqual({ rows: 0, body: [], rejected: { c: 1 } });
});

const plain = { column: nullable('c', 'string'), expression: C };
const filter = { condition: { column: 'c', compare: '=' as const, value: 'x' }, columns: [nullable('c', 'string')] };
const shaped = (changes: Partial<Shape>) =>
  streamOf({ columns: [nullable('c', 'string')], primaryKey: [], outputs: [plain], ...changes });
const fingerprint = (changes: Partial<Shape>) => shapeFingerprint(shaped(changes));
const salted = (salt: string) => ({ column: nullable('c', 'string'), expression: call('hash', 'string', text(salt)) });

test('a fingerprint changes with the filter and what is computed, not with the salt nor with plain columns', () => {
  expect(fingerprint({})).toBeUndefined();
  expect(shapeFingerprint({ ...shaped({}), shape: undefined } as never)).toBeUndefined();
  expect(fingerprint({ filter })).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint({ filter })).not.toBe(
    fingerprint({ filter: { ...filter, condition: { column: 'c', isNull: true } } }),
  );
  expect(fingerprint({ outputs: [salted('a')] })).toBe(fingerprint({ outputs: [salted('b')] }));
  expect(fingerprint({ outputs: [salted('a')] })).not.toBe(
    fingerprint({ outputs: [{ ...plain, expression: call('lower', 'string') }] }),
  );
  expect(fingerprint({ filter, outputs: [plain, { column: nullable('d', 'int'), expression: { column: 'd' } }] })).toBe(
    fingerprint({ filter }),
  );
  expect(fingerprint({ outputs: [{ ...plain, column: nullable('renamed', 'string') }] })).toBeDefined();
});

test('the source sees its own columns and key', () => {
  const stream = {
    ...shaped({ columns: [nullable('source', 'string')], primaryKey: ['source'] }),
    primaryKey: ['target'],
  };
  expect(sourceView(stream)).toMatchObject({ columns: [{ name: 'source' }], primaryKey: ['source'] });
});
