import { expect, test } from 'vitest';
import { ChunkBudget } from '../src/chunk-budget.ts';

function budgetAt(workShare: number) {
  const clock = { ms: 0 };
  return { clock, budget: new ChunkBudget({ bytes: 100, seconds: 10, workShare }, () => clock.ms) };
}

test('a chunk is enough with twice its bytes, or when its time is over', () => {
  const { budget, clock } = budgetAt(1);
  budget.add(199);
  expect(budget.isUsed()).toBe(false);
  budget.add(1);
  expect(budget.isUsed()).toBe(true);
  const slow = budgetAt(1);
  slow.clock.ms = 9_999;
  expect(slow.budget.isUsed()).toBe(false);
  slow.clock.ms = 10_000;
  expect(slow.budget.isUsed()).toBe(true);
  expect(clock.ms).toBe(0);
});

test('the rest is in proportion to the work since the last one, and none where all time may be worked', () => {
  const { budget, clock } = budgetAt(0.25);
  clock.ms = 100;
  expect(budget.takeRestMs()).toBe(300);
  clock.ms = 420;
  expect(budget.takeRestMs()).toBe(60);
  const eager = budgetAt(1);
  eager.clock.ms = 100;
  expect(eager.budget.takeRestMs()).toBe(0);
});
