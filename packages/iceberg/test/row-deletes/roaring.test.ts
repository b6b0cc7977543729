import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PositionSet } from '../../src/row-deletes/position-set.ts';
import { decodeRoaring, encodeRoaring } from '../../src/row-deletes/roaring.ts';

const position = fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 2 ** 34 }));
const dense = fc
  .record({ from: fc.integer({ min: 0, max: 300_000 }), length: fc.integer({ min: 0, max: 20_000 }) })
  .map(({ from, length }) => Array.from({ length }, (_, index) => from + index));

test('a set holds each position once, in ascending order', () => {
  fc.assert(
    fc.property(fc.array(position), dense, (some, many) => {
      const set = PositionSet.of([...some, ...many]);
      const expected = [...new Set([...some, ...many])].toSorted((a, b) => a - b);
      expect([...set]).toEqual(expected);
      expect(set.size).toBe(expected.length);
      expect(expected.every((each) => set.has(each))).toBe(true);
      expect(set.has(2 ** 35)).toBe(false);
    }),
    { numRuns: 50 },
  );
});

test('a set comes back from its Roaring bitmap', () => {
  fc.assert(
    fc.property(fc.array(position), dense, (some, many) => {
      const set = PositionSet.of([...some, ...many]);
      const decoded = decodeRoaring(encodeRoaring(set), 'a.puffin');
      expect([...decoded]).toEqual([...set]);
      expect(decoded.size).toBe(set.size);
    }),
    { numRuns: 50 },
  );
});

test('a bitmap with runs, as other writers make it, is read', () => {
  // One 32-bit bitmap of two containers: 5 to 9 and 20 as runs, then 65,537 and 65,540 as a list.
  const numbers = (bits: 16 | 32, ...values: number[]) => {
    const bytes = Buffer.alloc((values.length * bits) / 8);
    for (const [index, value] of values.entries()) bytes.writeUIntLE(value, (index * bits) / 8, bits / 8);
    return bytes;
  };
  const bytes = Buffer.concat([
    numbers(32, 1, 0, 0, 12347 | (1 << 16)),
    Buffer.from([0b01]),
    numbers(16, 0, 5, 1, 1),
    numbers(16, 2, 5, 4, 20, 0),
    numbers(16, 1, 4),
  ]);
  expect([...decodeRoaring(bytes, 'a.puffin')]).toEqual([5, 6, 7, 8, 9, 20, 65_537, 65_540]);
});

test('a bitmap that is cut is refused', () => {
  const bytes = encodeRoaring(PositionSet.of([1, 70_000, 2 ** 33]));
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeRoaring(bytes.subarray(0, length), 'a.puffin')).toThrow(
      'The deletion vector in a.puffin is damaged.',
    );
  }
});
