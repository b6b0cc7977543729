import { expect, test } from 'vitest';
import { compareDamaged } from './compare-damaged.ts';
import { seed } from './seed.ts';

test(`what is written of a damaged stream is what PyArrow reads of it (seed ${seed})`, async () => {
  const { counts, problems } = await compareDamaged(seed, { tables: 8, damages: 400 });
  expect(problems).toEqual([]);
  expect(counts.compared).toBeGreaterThan(40);
});
