import { expect, test } from 'vitest';
import { Arrivals } from '../src/arrivals.ts';

test('the age is that of the oldest place that was not acknowledged', () => {
  const arrivals = new Arrivals();
  expect(arrivals.age(0n, 500)).toBe(0);
  arrivals.note(10n, 1000);
  arrivals.note(20n, 1500);
  arrivals.note(30n, 4000);
  expect(arrivals.age(0n, 5000)).toBe(4);
  expect(arrivals.age(20n, 5000)).toBe(1);
  expect(arrivals.age(30n, 5000)).toBe(0);
});
