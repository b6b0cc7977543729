import { expect, test } from 'vitest';
import { giveBackMemory, ownsMemory, takeMemory } from '../../src/protocol/body-memory.ts';

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

test('memory that was given back is taken again, once', () => {
  const first = takeMemory(MEGABYTE);
  giveBackMemory([first.buffer, first.buffer]);
  const second = takeMemory(MEGABYTE - 8);
  const third = takeMemory(MEGABYTE - 8);
  expect(second.buffer).toBe(first.buffer);
  expect(third.buffer).not.toBe(first.buffer);
  expect([second.byteOffset, second.length]).toEqual([0, MEGABYTE - 8]);
});

test('memory that is too small is not taken', () => {
  giveBackMemory([takeMemory(100 * KILOBYTE).buffer]);
  expect(takeMemory(MEGABYTE).length).toBe(MEGABYTE);
});

test('the memory of a huge cell, and more than a few batches, is not kept', () => {
  const huge = takeMemory(64 * MEGABYTE);
  giveBackMemory([huge.buffer]);
  expect(huge.buffer.detached).toBe(true);
  const many = Array.from({ length: 20 }, () => takeMemory(MEGABYTE));
  giveBackMemory(many.map(({ buffer }) => buffer));
  expect(many.filter(({ buffer }) => !buffer.detached).length).toBeLessThan(9);
});

test('only what shares its memory with nothing else owns it', () => {
  expect(ownsMemory(takeMemory(MEGABYTE))).toBe(true);
  expect(ownsMemory(takeMemory(10))).toBe(true);
  expect(ownsMemory(new Uint8Array(MEGABYTE).subarray(0, 100))).toBe(false);
  expect(ownsMemory(Buffer.from('from the pool of small buffers'))).toBe(false);
});
