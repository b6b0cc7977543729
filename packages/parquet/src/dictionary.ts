import type { PageBuffer } from './page-buffer.ts';
import type { Bounds } from './statistics/bounds.ts';

/** The distinct values of a column chunk. It reads from the values of the page that is being filled. */
export interface Dictionary {
  readonly count: number;
  /** Bytes of the dictionary page, uncompressed. */
  readonly plainBytes: number;
  /** Notes the index of each of the first `count` values of the page; false, and nothing added, if the dictionary would outgrow its limits. */
  addPage(count: number, indices: Uint32Array): boolean;
  writePlain(page: PageBuffer): void;
  /** Gives the memory back: the dictionary is of no use any more. */
  release(): void;
  /** Bounds of the entries with these indices; undefined if the values of the page give theirs as fast. */
  boundsOf?(indices: Int32Array): Bounds | undefined;
}

/** How large a dictionary may get. */
export type DictionaryLimits = { maxEntries: number; maxBytes: number };

/** How many distinct values a column has, from what a sample of `sampled` values has shown: the D for which D (1 - exp(-sampled / D)) were seen. */
export function estimateDistinct(seen: number, sampled: number): number {
  let [low, high] = [seen, 1e9];
  for (let step = 0; step < 60 && high - low > 0.5; step++) {
    const middle = (low + high) / 2;
    if (middle * -Math.expm1(-sampled / middle) < seen) low = middle;
    else high = middle;
  }
  return low;
}
