import { expect, test } from 'vitest';
import { matchesPattern } from '../src/stream-pattern.ts';

test.each([
  ['public.*', 'public', 'orders', true],
  ['*', 'public', 'orders', true],
  ['public.order?', 'public', 'orders', true],
  ['public.order?', 'public', 'order', false],
  ['public.orders', 'public', 'orders_old', false],
  ['Public.orders', 'public', 'orders', false],
  ['*.a+b', 'public', 'a+b', true],
  ['*.a+b', 'public', 'aab', false],
  [String.raw`public.\*`, 'public', '*', true],
  [String.raw`public.\*`, 'public', 'x', false],
  ['s.x\ny*', 's', 'x\nyz', true],
])('%s over %s.%s: %s', (pattern, namespace, name, isMatch) => {
  expect(matchesPattern(pattern, { stream: `${namespace}.${name}`, namespace, name })).toBe(isMatch);
});

test("a stream's id matches itself, whatever is quoted in it", () => {
  expect(matchesPattern('s."a*b"', { stream: 's."a*b"', namespace: 's', name: 'a*b' })).toBe(true);
});
