import { expect, test } from 'vitest';
import { addRange, countIndexes, type IndexRange, type IndexRanges, missingRanges } from '../src/index-ranges.ts';

// Compact: sets and ranges as text, such as "0-2 5-6".
const parse = (text: string): IndexRanges =>
  text === ''
    ? []
    : text.split(' ').map((range): IndexRange => {
        const [from = 0, to = 0] = range.split('-').map(Number);
        return [from, to];
      });
const print = (ranges: IndexRanges) => ranges.map(([from, to]) => `${from}-${to}`).join(' ');

test.each([
  ['', '3-4', '3-4'],
  ['3-4', '4-7', '3-7'],
  ['3-4', '1-3', '1-4'],
  ['0-2 3-5', '2-3', '0-5'],
  ['0-2 5-6', '3-4', '0-2 3-4 5-6'],
  ['0-2 5-6 8-9', '1-8', '0-9'],
  ['0-2', '1-2', '0-2'],
  ['0-2', '7-7', '0-2'],
])('"%s" with %s is "%s"', (ranges, range, expected) => {
  expect(print(addRange(parse(ranges), parse(range)[0] ?? [0, 0]))).toBe(expected);
});

test.each([
  ['', 4, '0-4'],
  ['0-4', 4, ''],
  ['1-2 3-4', 6, '0-1 2-3 4-6'],
  ['0-1', 1, ''],
])('in "%s" of %i is missing "%s"', (ranges, count, expected) => {
  expect(print(missingRanges(parse(ranges), count))).toBe(expected);
});

test('any order of adding gives one range', () => {
  let ranges: IndexRanges = [];
  for (const index of [5, 1, 3, 0, 4, 2]) ranges = addRange(ranges, [index, index + 1]);
  expect(ranges).toEqual([[0, 6]]);
  expect(countIndexes(ranges)).toBe(6);
});
