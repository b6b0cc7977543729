import { test } from 'vitest';
import { followRandom } from './follow-random.ts';
import { KEYS } from './random-table.ts';

const LAYOUTS = {
  long: ['bucket(3, id)'],
  text: ['month(at)'],
  uuid: ['bucket(3, id)', 'truncate(2, name)'],
  decimal: ['truncate(10, id)'],
  composite: ['region'],
};

/** Each key with one layout on format version 2 and the other on 3. */
const CASES = Object.entries(LAYOUTS).flatMap(([key, partition], number) => {
  const layouts = number % 2 === 0 ? [[], partition] : [partition, []];
  return layouts.map(
    (own, at) => ({ key, partition: own, formatVersion: at === 0 ? 2 : 3, seed: 100 * number + at }) as const,
  );
});

test.each(CASES)(
  'the table follows random changes: key $key, partition $partition, version $formatVersion',
  async (each) => {
    if (!(each.key in KEYS)) throw new Error('there is no such key');
    const { key, partition, formatVersion, seed } = each;
    await followRandom({ key, layout: { partition, formatVersion }, seed });
  },
);
