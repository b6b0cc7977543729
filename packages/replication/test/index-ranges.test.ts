import { expect, test } from 'vitest';
import { addIndex, countIndexes, hasIndex, type IndexRanges } from '../src/index-ranges.ts';

test.each<[IndexRanges, number, IndexRanges]>([
  [[], 3, [[3, 4]]],
  [[[3, 4]], 4, [[3, 5]]],
  [[[3, 4]], 2, [[2, 4]]],
  [
    [
      [0, 2],
      [3, 5],
    ],
    2,
    [[0, 5]],
  ],
  [
    [
      [0, 2],
      [5, 6],
    ],
    3,
    [
      [0, 2],
      [3, 4],
      [5, 6],
    ],
  ],
  [[[0, 2]], 1, [[0, 2]]],
])('%j with %i is %j', (ranges, index, expected) => {
  expect(addIndex(ranges, index)).toEqual(expected);
});

test('any order of adding gives one range', () => {
  let ranges: IndexRanges = [];
  for (const index of [5, 1, 3, 0, 4, 2]) ranges = addIndex(ranges, index);
  expect(ranges).toEqual([[0, 6]]);
  expect(countIndexes(ranges)).toBe(6);
  expect([hasIndex(ranges, 5), hasIndex(ranges, 6)]).toEqual([true, false]);
});
