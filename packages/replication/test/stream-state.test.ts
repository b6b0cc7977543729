import { describe, expect, test } from 'vitest';
import { openStream, runNumber, type StreamState } from '../src/stream-state.ts';

const plan = { identity: 'a', units: 4, isWhole: false, layout: null };
const backfill: StreamState = {
  phase: 'backfill',
  run: 2,
  generation: 3,
  replace: false,
  consistency: 'chunk',
  plan,
  done: [[0, 2]],
};
const complete: StreamState = { phase: 'complete', run: 2, generation: 3 };

test.each([
  ['a new stream', undefined, 'append', 'snapshot', { action: 'begin', generation: 1, replace: false }],
  [
    'a new stream to replace a table',
    undefined,
    'overwrite',
    'chunk',
    { action: 'begin', generation: 1, replace: true },
  ],
  ['a finished stream', complete, 'append', 'snapshot', { action: 'skip' }],
  ['a stream finished in this run', { ...complete, run: 3 }, 'overwrite', 'snapshot', { action: 'skip' }],
  [
    'a stream finished in an earlier run',
    complete,
    'overwrite',
    'snapshot',
    { action: 'begin', generation: 4, replace: true },
  ],
  ['an unfinished stream in chunks', backfill, 'append', 'chunk', { action: 'resume', state: backfill }],
  [
    'an unfinished stream, now in a snapshot',
    backfill,
    'append',
    'snapshot',
    { action: 'begin', generation: 4, replace: true, note: expect.stringContaining('started over') },
  ],
] as const)('%s opens as it should', (_, state, writeMode, consistency, opening) => {
  expect(openStream(state, { number: 3, writeMode, consistency })).toEqual(opening);
});

test('a run that did not reach its end is continued under its number', () => {
  expect(runNumber(undefined)).toBe(1);
  expect(runNumber({ run: 4, ended: true })).toBe(5);
  expect(runNumber({ run: 4, ended: false })).toBe(4);
});

describe('an incremental stream', () => {
  const incremental = { cursor: ['c'] };
  const cursor = { columns: ['c'], boundary: 'b' };
  const run = { number: 3, writeMode: 'append', consistency: 'snapshot', incremental } as const;
  const anew = { action: 'begin', generation: 4, replace: true, note: expect.stringContaining('all rows') };
  test.each<[string, StreamState | undefined, unknown]>([
    ['reads all rows first', undefined, { action: 'begin', generation: 1, replace: false }],
    [
      'goes on from its boundary',
      { ...complete, cursor },
      { action: 'begin', generation: 4, replace: false, since: 'b' },
    ],
    ['reads all rows when its cursor is another', { ...complete, cursor: { ...cursor, columns: ['d'] } }, anew],
    ['reads all rows when it had none', complete, anew],
    ['reads nothing twice in one run', { ...complete, run: 3, cursor }, { action: 'skip' }],
  ])('%s', (_, state, opening) => {
    expect(openStream(state, run)).toEqual(opening);
  });
});

test.each([
  ['append', 'a', 'a', undefined, 'skip'],
  ['append', undefined, 'a', undefined, 'refuse'],
  ['append', 'a', undefined, undefined, 'refuse'],
  ['append', 'a', 'b', 'refuse', 'refuse'],
  ['append', 'a', 'b', 'continue', 'skip'],
  ['append', 'a', 'b', 'backfill', 'begin'],
  ['overwrite', 'a', 'b', 'refuse', 'begin'],
] as const)('%s: rows of shape %s, now %s, when changed %s', (writeMode, was, is, whenChanged, action) => {
  const state = { ...complete, ...(was !== undefined && { shape: was }) };
  const anew = action === 'begin' ? { generation: 4, replace: true } : {};
  const opening = openStream(state, { number: 3, writeMode, consistency: 'chunk', shape: is, whenChanged });
  expect(opening).toMatchObject({ action, ...anew });
});

test('an unfinished stream whose shape has changed starts over, even chunk by chunk', () => {
  const state: StreamState = { ...backfill, shape: 'a' };
  const run = { number: 3, writeMode: 'append', consistency: 'chunk' } as const;
  expect(openStream(state, { ...run, shape: 'a' })).toEqual({ action: 'resume', state });
  expect(openStream(state, { ...run, shape: 'b' })).toMatchObject({ action: 'begin', generation: 4, replace: true });
});
