import { describe, expect, test } from 'vitest';
import {
  type PrimitiveType,
  type Value,
  bindTransform,
  hashBytes,
  hashLong,
  parseTransform,
  transformResult,
} from '../src/index.ts';

const MAX = 0x7fff_ffff;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The bucket of as many buckets as there are hashes without a sign: the hash itself, but for its sign bit. */
function hashOf(type: PrimitiveType, value: Value): Value | null {
  return bindTransform({ kind: 'bucket', count: MAX }, type)(value);
}

// Spec, Appendix B: 32-bit Hash Requirements.
const HASHES: [PrimitiveType, Value, number][] = [
  ['int', 34, 2017239379],
  ['long', 34n, 2017239379],
  ['decimal(9, 2)', 1420n, -500754589],
  ['date', 17486, -653330422],
  ['time', 81068000000n, -662762989],
  ['timestamp', 1510871468000000n, -2047944441],
  ['timestamptz', 1510871468000000n, -2047944441],
  ['timestamp', 1510871468000001n, -1207196810],
  ['timestamp_ns', 1510871468000001001n, -1207196810],
  ['timestamptz_ns', 1510871468000001001n, -1207196810],
  ['string', 'iceberg', 1210000089],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
  ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
  ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
];

test.each(HASHES)('the hash of %s %s is the one of the spec', (type, value, hash) => {
  expect(hashOf(type, value)).toBe((hash & MAX) % MAX);
});

test('hashes of bytes and of words agree, whatever the length', () => {
  expect(hashBytes(new Uint8Array())).toBe(0);
  for (const long of [0n, 1n, -1n, 34n, 2n ** 63n - 1n, -(2n ** 63n), -5_000_000_000n]) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, long, true);
    const [low, high] = [Number(BigInt.asIntN(32, long)), Number(BigInt.asIntN(32, long >> 32n))];
    expect(hashLong(low, high)).toBe(hashBytes(bytes));
  }
  // Of the reference implementation of Murmur3 (x86, 32 bit, seed 0).
  expect(['a', 'ab', 'abc', 'abcd', 'abcde'].map((text) => hashBytes(utf8(text)))).toEqual([
    1009084850, -1681926305, -1277324294, 1139631978, -392455434,
  ]);
});

const CASES: [transform: string, type: PrimitiveType, value: Value | null, result: Value | null][] = [
  ['identity', 'string', 'x', 'x'],
  ['void', 'string', 'x', null],
  ['bucket[16]', 'long', null, null],
  ['truncate[10]', 'int', 1, 0],
  ['truncate[10]', 'int', -1, -10],
  ['truncate[10]', 'long', -11n, -20n],
  ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
  ['truncate[10]', 'decimal(38, 0)', -1n, -10n],
  ['truncate[3]', 'string', 'iceberg', 'ice'],
  ['truncate[2]', 'string', '🐟🐟🐟', '🐟🐟'],
  ['truncate[3]', 'binary', Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 2, 3)],
  ['year', 'date', 17486, 47],
  ['year', 'date', -1, -1],
  ['month', 'date', 17486, 47 * 12 + 10],
  ['month', 'date', -1, -1],
  ['month', 'date', 11016, 361],
  ['day', 'date', -3, -3],
  ['year', 'date', 2 ** 31 - 1, 5879610],
  ['year', 'date', -(2 ** 31), -5879611],
  ['day', 'timestamp', -1n, -1],
  ['day', 'timestamptz', 86_400_000_000n, 1],
  ['hour', 'timestamp', 1510871468000000n, 419686],
  ['hour', 'timestamp', -1n, -1],
  ['hour', 'timestamp_ns', -1n, -1],
  ['day', 'timestamp_ns', 86_400_000_000_000n, 1],
  ['year', 'timestamp', -62_135_596_800_000_000n, 1 - 1970],
  ['month', 'timestamptz', -1n, -1],
];

test.each(CASES)('%s of %s %s is %s', (text, type, value, result) => {
  expect(bindTransform(parseTransform(text), type)(value)).toEqual(result);
});

describe('a transform', () => {
  test('that does not suit a type has no result and is not bound', () => {
    for (const [text, type] of [
      ['hour', 'date'],
      ['day', 'long'],
      ['bucket[4]', 'double'],
      ['truncate[4]', 'uuid'],
    ] as const) {
      expect(transformResult(parseTransform(text), type)).toBeUndefined();
      expect(() => bindTransform(parseTransform(text), type)).toThrow(/cannot be applied/);
    }
  });

  test('that is not known is read and not applied', () => {
    expect(parseTransform('zorder[4]')).toEqual({ kind: 'unknown' });
    expect(() => bindTransform(parseTransform('zorder[4]'), 'int')).toThrow(/cannot be applied/);
    expect(() => parseTransform('bucket[0]')).toThrow(/number from 1/);
  });
});
