import { expect, test } from 'vitest';
import { Arrivals } from '../src/arrivals.ts';

test('the slowest transaction is told once; one of a clock that is ahead took no time', () => {
  const arrivals = new Arrivals();
  expect(arrivals.takeSlowest()).toBeUndefined();
  arrivals.noteTransaction(1000, 1200);
  arrivals.noteTransaction(1100, 1150);
  expect(arrivals.takeSlowest()).toBe(0.2);
  arrivals.noteTransaction(1300, 1250);
  expect([arrivals.takeSlowest(), arrivals.takeSlowest()]).toEqual([0, undefined]);
});

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
