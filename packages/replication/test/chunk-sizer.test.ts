import { expect, test } from 'vitest';
import { ChunkSizer, unitsPerChunk } from '../src/chunk-sizer.ts';

const limits = { bytes: 800, seconds: 10, readers: 2, units: 8 };

test.each([
  ['as planned', { units: 8, bytes: 800, seconds: 1 }, 8],
  ['dead or empty pages make chunks larger, step by step', { units: 8, bytes: 10, seconds: 0.1 }, 32],
  ['fat rows make them smaller', { units: 8, bytes: 3200, seconds: 1 }, 2],
  ['so does a slow server', { units: 8, bytes: 800, seconds: 40 }, 2],
  ['one unit is the least', { units: 1, bytes: 90_000, seconds: 1 }, 1],
  ['a small last chunk of the right size changes nothing', { units: 2, bytes: 200, seconds: 0.2 }, 8],
])('%s', (_, measured, expected) => {
  const sizer = new ChunkSizer(limits);
  sizer.learn(measured);
  expect(sizer.next(1000)).toBe(expected);
});

test('the last chunks are shared among the readers, but not made tiny', () => {
  const sizer = new ChunkSizer(limits);
  expect([16, 12, 8, 4, 2].map((waiting) => sizer.next(waiting))).toEqual([8, 6, 4, 2, 2]);
});

test('a reader that rests has small units', () => {
  expect([1, 0.5, 0.2].map(unitsPerChunk)).toEqual([8, 128, 128]);
});
