import { describe, expect, test } from 'vitest';
import { type PrimitiveType, type Value, compareBounds, decodeValue, encodeValue } from '../src/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

// Spec, Appendix D: the binary single-value serialization of each type.
const VALUES: [PrimitiveType, Value, string][] = [
  ['boolean', false, '00'],
  ['boolean', true, '01'],
  ['int', 34, '22000000'],
  ['int', -2147483648, '00000080'],
  ['long', 34n, '2200000000000000'],
  ['long', -9223372036854775808n, '0000000000000080'],
  ['float', -4.5, '000090c0'],
  ['double', 6, '0000000000001840'],
  ['date', 17486, '4e440000'],
  ['time', 81068123456n, '406509e012000000'],
  ['timestamp', 1510871468123456n, '40a5282d215e0500'],
  ['timestamptz', -1n, 'ffffffffffffffff'],
  ['string', 'iceberg', '69636562657267'],
  ['string', '', ''],
  ['string', '\u{feff}ü🐟', 'efbbbfc3bcf09f909f'],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
  ['fixed[3]', Uint8Array.of(0, 127, 255), '007fff'],
  ['binary', Uint8Array.of(0, 255), '00ff'],
  ['decimal(9, 2)', 1420n, '058c'],
  ['decimal(9, 2)', 0n, '00'],
  ['decimal(9, 2)', 127n, '7f'],
  ['decimal(9, 2)', 128n, '0080'],
  ['decimal(9, 2)', -128n, '80'],
  ['decimal(9, 2)', -129n, 'ff7f'],
  ['decimal(38, 0)', 99999999999999999999999999999999999999n, '4b3b4ca85a86c47a098a223fffffffff'],
];

test.each(VALUES)('%s %s is %s', (type, value, expected) => {
  const bytes = encodeValue(type, value);
  expect(hex(bytes)).toBe(expected);
  expect(decodeValue(type, bytes)).toEqual(value);
});

test('a bound written before its column was widened is read', () => {
  expect(decodeValue('long', encodeValue('int', -7))).toBe(-7n);
  expect(decodeValue('double', encodeValue('float', 0.5))).toBe(0.5);
});

test('a value of another type is refused', () => {
  expect(() => encodeValue('long', 5)).toThrow('A number is not a value of type long.');
  expect(() => encodeValue('fixed[2]', Uint8Array.of(1))).toThrow('is not a value of type fixed[2].');
});

describe('compareBounds orders', () => {
  test.each<[PrimitiveType, Value, Value]>([
    ['int', -1, 1],
    ['int', 255, 256],
    ['long', -1n, 0n],
    ['float', -0.5, 0.25],
    ['double', 1e300, Number.NaN],
    ['decimal(20, 2)', -129n, -128n],
    ['decimal(20, 2)', 255n, 256n],
    ['date', -1, 0],
    ['timestamptz', -5n, 5n],
    ['string', 'Z', 'a'],
    ['string', '\uFFFD', '\u{10000}'],
    ['string', 'a', 'aa'],
    ['uuid', '7fffffff-0000-0000-0000-000000000000', '80000000-0000-0000-0000-000000000000'],
    ['binary', Uint8Array.of(127), Uint8Array.of(128)],
    ['boolean', false, true],
  ])('%s: %s below %s', (type, low, high) => {
    const [a, b] = [encodeValue(type, low), encodeValue(type, high)];
    expect(compareBounds(type, a, b)).toBeLessThan(0);
    expect(compareBounds(type, b, a)).toBeGreaterThan(0);
    expect(compareBounds(type, a, a)).toBe(0);
  });
});
