/** A set of chunk indexes as sorted, half-open, disjoint ranges: small however many chunks are done. */
export type IndexRanges = readonly (readonly [from: number, to: number])[];

/** The set with `index` in it. */
export function addIndex(ranges: IndexRanges, index: number): IndexRanges {
  if (hasIndex(ranges, index)) return ranges;
  const before = ranges.filter(([, to]) => to < index);
  const after = ranges.filter(([from]) => from > index + 1);
  const touching = ranges.filter(([from, to]) => to >= index && from <= index + 1);
  const from = Math.min(index, ...touching.map((range) => range[0]));
  const to = Math.max(index + 1, ...touching.map((range) => range[1]));
  return [...before, [from, to], ...after];
}

/** Whether `index` is in the set. */
export function hasIndex(ranges: IndexRanges, index: number): boolean {
  return ranges.some(([from, to]) => index >= from && index < to);
}

/** How many indexes are in the set. */
export function countIndexes(ranges: IndexRanges): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
