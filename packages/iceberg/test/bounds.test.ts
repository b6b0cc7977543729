import { expect, test } from 'vitest';
import { truncateLowerBound, truncateUpperBound } from '../src/index.ts';

const text = (value: string) => new TextEncoder().encode(value);
const MAX = '\u{10ffff}';

test.each([
  ['short', 'short', 'short'],
  ['exactly sixteen!', 'exactly sixteen!', 'exactly sixteen!'],
  ['exactly sixteen! and more', 'exactly sixteen!', 'exactly sixteen"'],
  ['🐟'.repeat(17), '🐟'.repeat(16), `${'🐟'.repeat(15)}🐠`],
  [`${'a'.repeat(15)}\ud7ffz`, `${'a'.repeat(15)}\ud7ff`, `${'a'.repeat(15)}\ue000`],
  [`${'a'.repeat(15)}${MAX}z`, `${'a'.repeat(15)}${MAX}`, `${'a'.repeat(14)}b`],
  [MAX.repeat(17), MAX.repeat(16), undefined],
])('the bounds of text %j are cut to 16 code points', (value, lower, upper) => {
  expect(truncateLowerBound('string', text(value))).toEqual(text(lower));
  expect(truncateUpperBound('string', text(value))).toEqual(upper === undefined ? undefined : text(upper));
});

test('binary bounds are cut to 16 bytes', () => {
  const bytes = new Uint8Array(20).fill(255);
  bytes[3] = 7;
  expect(truncateLowerBound('binary', bytes)).toEqual(bytes.slice(0, 16));
  expect(truncateUpperBound('binary', bytes)).toEqual(Uint8Array.of(255, 255, 255, 8));
  expect(truncateUpperBound('binary', new Uint8Array(17).fill(255))).toBeUndefined();
  expect(truncateUpperBound('binary', new Uint8Array(16).fill(255))).toEqual(new Uint8Array(16).fill(255));
});

test('bounds of other types are kept, and text that is not UTF-8 has none', () => {
  const uuid = new Uint8Array(16).fill(9);
  expect(truncateUpperBound('uuid', uuid)).toBe(uuid);
  expect(truncateLowerBound('string', Uint8Array.of(0xc3))).toBeUndefined();
  expect(truncateUpperBound('string', Uint8Array.of(0xc3))).toBeUndefined();
});
