import { test } from 'vitest';
import { followRandom } from './follow-random.ts';

test('the table follows random changes of rows whose key is a number', () =>
  followRandom({ key: 'long', layout: {}, seed: 1 }));

test('the table follows random changes of rows whose key is text, partitioned by a column that changes, with deletion vectors', () =>
  followRandom({ key: 'text', layout: { partition: ['month(at)'], formatVersion: 3 }, seed: 2 }));
