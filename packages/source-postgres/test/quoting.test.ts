import { expect, test } from 'vitest';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../src/quoting.ts';

test.each([
  ['plain', '"plain"'],
  ['Upper', '"Upper"'],
  ['a.b', '"a.b"'],
  ['say "hi"', '"say ""hi"""'],
  ['🧊', '"🧊"'],
  ['', '""'],
])('the identifier %j is quoted', (name, quoted) => {
  expect(quoteIdentifier(name)).toBe(quoted);
});

test('both parts of a qualified name are quoted', () => {
  expect(quoteQualified('my.schema', 'my"table')).toBe('"my.schema"."my""table"');
});

test.each([
  ['00000003-0000001B-1', "'00000003-0000001B-1'"],
  ["it's", "'it''s'"],
  ['back\\slash', "E'back\\\\slash'"],
  ["\\'; DROP", "E'\\\\''; DROP'"],
])('the text %j is quoted', (text, quoted) => {
  expect(quoteLiteral(text)).toBe(quoted);
});
