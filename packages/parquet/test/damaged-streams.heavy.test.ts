import { expect, test } from 'vitest';
import { compareDamaged } from './compare-damaged.ts';
import { seed } from './seed.ts';

test(`what is written of thousands of damaged streams is what PyArrow reads of them (seed ${seed})`, async () => {
  const { counts, problems } = await compareDamaged(seed, { tables: 40, damages: 10_000 });
  expect(problems).toEqual([]);
  expect(counts.compared).toBeGreaterThan(1000);
});
