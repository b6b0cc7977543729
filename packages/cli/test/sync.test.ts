import type { StreamProgress } from '@fjord/engine';
import { expect, test } from 'vitest';
import { summary } from '../src/sync.ts';

const stream = (name: string, changes: Partial<StreamProgress>): StreamProgress => ({
  stream: name,
  target: `lake.${name}`,
  status: 'COMPLETE',
  rows: 10,
  bytes: 100,
  committedRows: 10,
  commits: 1,
  rejected: {},
  notes: [],
  resumed: false,
  ...changes,
});

test('the summary names the columns, and the places within, that could not hold all values', () => {
  const streams = [
    stream('orders', { rejected: { placed_at: 1200, 'tags.element': 3 }, notes: ['read by key'] }),
    stream('items', {}),
  ];
  const text = summary({ streams, seconds: 1, exitCode: 0, failures: [], cause: undefined });
  const lines = text.split('\n').filter((line) => /^(orders|items): /.test(line));
  expect(lines).toEqual([
    'orders: values that do not fit their column: placed_at 1,200, tags.element 3',
    'orders: read by key',
  ]);
  expect(text).toMatch(/orders -> lake\.orders .* 1,203\b/);
});
