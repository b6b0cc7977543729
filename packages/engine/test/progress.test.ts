import type { Message, SelectedStream } from '@fjord/core';
import { expect, test } from 'vitest';
import { ProgressTracker } from '../src/progress.ts';

const selected = (stream: string, more: Partial<SelectedStream> = {}): SelectedStream => ({
  stream,
  name: stream,
  columns: [],
  primaryKey: [],
  writeMode: 'append',
  target: { namespace: ['lake', 'raw'], name: stream },
  ...more,
});
const progress = (stream: string, more: Partial<Message<'PROGRESS'>> = {}): Message<'PROGRESS'> => ({
  type: 'PROGRESS',
  stream,
  rows: 0,
  bytes: 0,
  ...more,
});
const state = (stream: string | undefined, rows?: number): Message<'STATE'> => ({
  type: 'STATE',
  ...(stream !== undefined && { stream }),
  state: {},
  ...(rows !== undefined && { rows }),
});

/** A tracker whose clock goes on by one with each look. */
function track(...streams: SelectedStream[]): ProgressTracker {
  let now = 0;
  return new ProgressTracker(streams, () => (now += 1));
}

test('streams keep the order of the selection and wait until they are heard of', () => {
  const tracker = track(selected('b', { estimatedRows: 7 }), selected('a'));
  tracker.take(progress('a', { rows: 3, bytes: 30, phase: 'backfill' }), 'source');
  expect(tracker.streams).toMatchObject([
    { stream: 'b', target: 'lake.raw.b', status: 'WAITING', estimatedRows: 7, rows: 0 },
    { stream: 'a', status: 'RUNNING', rows: 3, bytes: 30, phase: 'backfill', startedAt: 1 },
  ]);
  expect(tracker.streams[0]).not.toHaveProperty('startedAt');
  expect(tracker.streams[1]).not.toHaveProperty('estimatedRows');
});

test('the source tells rows read, the destination rows committed, which are never more than those read', () => {
  const tracker = track(selected('a'));
  tracker.take(progress('a', { rows: 10, bytes: 100 }), 'source');
  tracker.take(progress('a', { committedRows: 4 }), 'destination');
  expect(tracker.streams).toMatchObject([{ rows: 10, bytes: 100, committedRows: 4 }]);
  // The source's last lines may be on their way still.
  tracker.take(progress('a', { committedRows: 12 }), 'destination');
  expect(tracker.streams).toMatchObject([{ rows: 12, bytes: 100, committedRows: 12 }]);
});

test('rows of states are summed, unless the destination counts what is durable', () => {
  const tracker = track(selected('summed'), selected('counted'));
  for (const stream of ['summed', 'counted']) tracker.commit(state(stream, 5));
  tracker.take(progress('counted', { committedRows: 6 }), 'destination');
  for (const stream of ['summed', 'counted']) tracker.commit(state(stream, 7));
  tracker.commit(state('summed'));
  expect(tracker.streams).toMatchObject([
    { rows: 12, committedRows: 12 },
    { rows: 6, committedRows: 6 },
  ]);
});

test('a state of all streams and lines about streams that were not selected change nothing', () => {
  const tracker = track(selected('a'));
  const before = tracker.streams;
  tracker.commit(state(undefined, 5));
  tracker.commit(state('other', 5));
  tracker.take(progress('other', { rows: 5 }), 'source');
  tracker.resume('other');
  tracker.end({ type: 'STATUS', stream: 'other', status: 'COMPLETE' });
  tracker.end({ type: 'STATUS', status: 'COMPLETE' });
  expect(tracker.streams).toEqual(before);
});

test('rejected values of both sides are counted once, by column; a note is kept once', () => {
  const tracker = track(selected('a'));
  tracker.take(progress('a', { rejected: { x: 2, y: 1 }, note: 'read by key' }), 'source');
  tracker.take(progress('a', { rejected: { x: 5 }, note: 'read by key' }), 'source');
  tracker.take(progress('a', { rejected: { x: 3, z: 1 }, note: 'another' }), 'destination');
  expect(tracker.streams).toMatchObject([{ rejected: { x: 5, y: 1, z: 1 }, notes: ['read by key', 'another'] }]);
});

test('the destination has the last word about a stream, with its reason; STARTED is none', () => {
  const tracker = track(selected('a'), selected('b'));
  tracker.end({ type: 'STATUS', stream: 'a', status: 'STARTED' });
  expect(tracker.streams[0]).toMatchObject({ status: 'WAITING' });
  tracker.take(progress('a'), 'source');
  tracker.end({ type: 'STATUS', stream: 'a', status: 'INCOMPLETE', reason: 'it broke' });
  tracker.take(progress('a', { rows: 9 }), 'source');
  tracker.end({ type: 'STATUS', stream: 'b', status: 'COMPLETE' });
  expect(tracker.streams).toMatchObject([
    { status: 'INCOMPLETE', reason: 'it broke', startedAt: 1, endedAt: 2 },
    { status: 'COMPLETE', endedAt: 3 },
  ]);
  expect(tracker.streams[1]).not.toHaveProperty('startedAt');
});

test('a stream that goes on from a state says so; one that is not read at all comes last, with the reason', () => {
  const tracker = track(selected('a'));
  tracker.leaveOut({ stream: 'gone', target: 'lake.gone', reason: 'no privilege' });
  tracker.resume('a');
  expect(tracker.streams).toMatchObject([
    { stream: 'a', resumed: true },
    { stream: 'gone', target: 'lake.gone', status: 'INCOMPLETE', reason: 'no privilege', resumed: false },
  ]);
});

test('what was handed out does not change any more', () => {
  const tracker = track(selected('a'));
  const before = tracker.streams;
  tracker.take(progress('a', { rows: 5, note: 'later' }), 'source');
  expect(before).toMatchObject([{ rows: 0, notes: [] }]);
});
