/** A set of whole numbers as sorted, half-open, disjoint ranges: small however many are in it. */
export type IndexRanges = readonly IndexRange[];
export type IndexRange = readonly [from: number, to: number];

/** The set with all of `range` in it. */
export function addRange(ranges: IndexRanges, range: IndexRange): IndexRanges {
  if (range[0] >= range[1]) return ranges;
  const before = ranges.filter(([, to]) => to < range[0]);
  const after = ranges.filter(([from]) => from > range[1]);
  const touching = [...ranges.filter(([from, to]) => to >= range[0] && from <= range[1]), range];
  const from = Math.min(...touching.map((other) => other[0]));
  const to = Math.max(...touching.map((other) => other[1]));
  return [...before, [from, to], ...after];
}

/** What is missing in the set of all numbers from 0 up to `count`. */
export function missingRanges(ranges: IndexRanges, count: number): IndexRanges {
  const starts = [0, ...ranges.map(([, to]) => to)];
  const ends = [...ranges.map(([from]) => from), count];
  return starts.flatMap((from, index): IndexRanges => {
    const to = Math.min(ends[index] ?? count, count);
    return from < to ? [[from, to]] : [];
  });
}

/** How many numbers are in the set. */
export function countIndexes(ranges: IndexRanges): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
