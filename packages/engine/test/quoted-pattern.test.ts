import { streamId } from '@fjord/core';
import { expect, test } from 'vitest';
import { matchesPattern } from '../src/stream-pattern.ts';

const stream = (namespace: string | undefined, name: string) => ({
  stream: streamId(namespace, name),
  ...(namespace !== undefined && { namespace }),
  name,
});

test.each([
  ['public.orders', 'public', 'orders', true],
  ['public.Orders', 'public', 'orders', false],
  ['public.*', 'public', 'orders', true],
  ['public.*', 'public', 'a.b', true],
  ['public.*', 'publicity', 'orders', false],
  ['*.orders', 'sales', 'orders', true],
  ['public.order?', 'public', 'orders', true],
  ['public.order?', 'public', 'order', false],
  ['public.order?', 'public', 'order😀', true],
  ['*', 'public', 'orders', true],
  ['orders', undefined, 'orders', true],
  ['orders', 'public', 'orders', false],
  ['public.a*b', 'public', 'a*b', true],
  [String.raw`public.a\*b`, 'public', 'a*b', true],
  [String.raw`public.a\*b`, 'public', 'axb', false],
  [String.raw`public.a\\b`, 'public', String.raw`a\b`, true],
  ['public.a+(b)|[c]', 'public', 'a+(b)|[c]', true],
  ['public.a.b', 'public', 'axb', false],
  ['"my.schema".*', 'my.schema', 'x', true],
  ['"my.schema".*', 'my', 'schema.x', true],
  ['"my.schema".*', 'myxschema', 'x', false],
  ['public."a*b"', 'public', 'a*b', true],
  ['public."a*b"', 'public', 'axb', false],
  ['public."say ""hi"""', 'public', 'say "hi"', true],
  ['public."a"*', 'public', 'a1', false],
  ['public."a"*', 'public', '"a"1', true],
  ['public.a"b*', 'public', 'a"bc', true],
  ['public."x y"', 'public', 'x y', true],
  ['public.line*', 'public', 'line\nbreak', true],
])('pattern %s on %s . %s: %s', (pattern, namespace, name, matches) => {
  expect(matchesPattern(pattern, stream(namespace, name))).toBe(matches);
});
