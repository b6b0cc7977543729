import type { SelectedStream } from '@fjord/core';
import { ConnectorError } from '@fjord/core';
import { expect, test } from 'vitest';
import { ChunkSizer } from '../src/chunk-sizer.ts';
import type { Consistency } from '../src/options.ts';
import { StreamBackfill } from '../src/stream-backfill.ts';

const selected: SelectedStream = {
  stream: 's',
  name: 's',
  columns: [],
  primaryKey: [],
  writeMode: 'append',
  target: { namespace: ['n'], name: 's' },
};
const plan = { identity: 'i', units: 3, isWhole: false, layout: 'l' };
const begin = (isResumable: boolean, changes: Partial<SelectedStream> = {}) =>
  new StreamBackfill(
    { ...selected, ...changes },
    { action: 'begin', generation: 1, replace: false },
    contextOf(isResumable ? 'chunk' : 'snapshot'),
  );
/** Chunks of one unit each. */
const contextOf = (consistency: Consistency) => {
  const sizer = new ChunkSizer({ bytes: 1, seconds: 1, readers: 1, units: 8 });
  sizer.learn({ units: 1, bytes: 1, seconds: 100 });
  return { number: 7, consistency, sizer };
};
/** Reads the next chunk, all of it. */
const finishNext = (backfill: StreamBackfill) => {
  const task = backfill.takeChunk();
  return task ? backfill.finishChunk(task, task.units[1]) : undefined;
};

test('each chunk done gives a state that holds ranges, the last one COMPLETE before the last state', () => {
  const backfill = begin(true);
  expect(backfill.begin(plan)).toEqual([{ type: 'BACKFILL', stream: 's', generation: 1, replace: false }]);
  const [first, second, third] = [backfill.takeChunk(), backfill.takeChunk(), backfill.takeChunk()];
  if (!first || !second || !third) throw new Error('three chunks wait');
  expect([first.units, second.units, third.units, backfill.takeChunk()]).toEqual([[0, 1], [1, 2], [2, 3], undefined]);
  const state = { phase: 'backfill', run: 7, generation: 1, replace: false, consistency: 'chunk', plan };
  expect(backfill.finishChunk(third, 3)).toEqual([{ type: 'STATE', stream: 's', state: { ...state, done: [[2, 3]] } }]);
  const done = [
    [0, 1],
    [2, 3],
  ];
  expect(backfill.finishChunk(first, 1)).toEqual([{ type: 'STATE', stream: 's', state: { ...state, done } }]);
  expect(backfill.finishChunk(second, 2)).toEqual([
    { type: 'STATUS', stream: 's', status: 'COMPLETE' },
    { type: 'STATE', stream: 's', state: { phase: 'complete', run: 7, generation: 1 } },
  ]);
  expect(backfill.hasEnded).toBe(true);
});

test('in snapshot consistency nothing before the end can be resumed from, so no state is given', () => {
  const backfill = begin(false);
  backfill.begin(plan);
  expect([finishNext(backfill), finishNext(backfill)]).toEqual([[], []]);
  expect(finishNext(backfill)?.map(({ type }) => type)).toEqual(['STATUS', 'STATE']);
});

test('what a chunk did not reach waits again', () => {
  const sizer = new ChunkSizer({ bytes: 1, seconds: 1, readers: 1, units: 8 });
  const opening = { action: 'begin', generation: 1, replace: false } as const;
  const backfill = new StreamBackfill(selected, opening, { number: 7, consistency: 'chunk', sizer });
  backfill.begin(plan);
  const task = backfill.takeChunk();
  expect(task?.units).toEqual([0, 3]);
  if (task) backfill.finishChunk(task, 1);
  expect(backfill.takeChunk()?.units).toEqual([1, 3]);
});

test('a chunk that is given back is read by the next who asks', () => {
  const backfill = begin(true);
  backfill.begin(plan);
  const task = backfill.takeChunk();
  if (task) backfill.giveBack(task);
  expect(backfill.takeChunk()?.units).toEqual([0, 1]);
});

test('a plan that must stay whole is one chunk without states', () => {
  const backfill = begin(true);
  backfill.begin({ ...plan, isWhole: true });
  expect(backfill.isResumable).toBe(false);
  expect(backfill.takeChunk()?.units).toEqual([0, 3]);
});

test('an increment keeps the rows of earlier ones when it starts over, and ends with its boundary', () => {
  const backfill = begin(true, { incremental: { cursor: ['c'] } });
  backfill.begin(plan);
  backfill.startOver();
  expect(backfill.begin(plan)).toEqual([{ type: 'BACKFILL', stream: 's', generation: 2, replace: false }]);
  finishNext(backfill);
  finishNext(backfill);
  backfill.takeBoundary('b');
  expect(finishNext(backfill)?.at(-1)).toEqual({
    type: 'STATE',
    stream: 's',
    state: { phase: 'complete', run: 7, generation: 2, cursor: { columns: ['c'], boundary: 'b' } },
  });
});

test('a resumed backfill reads only what is not done', () => {
  const state = {
    phase: 'backfill' as const,
    run: 7,
    generation: 2,
    replace: true,
    consistency: 'chunk' as const,
    plan,
    done: [
      [0, 1],
      [2, 3],
    ] as [number, number][],
  };
  const backfill = new StreamBackfill(selected, { action: 'resume', state }, contextOf('chunk'));
  expect(backfill.begin(plan)).toEqual([{ type: 'BACKFILL', stream: 's', generation: 2, replace: true }]);
  expect([backfill.takeChunk()?.units, backfill.takeChunk()]).toEqual([[1, 2], undefined]);
});

test('a resumed backfill with nothing left is complete at once', () => {
  const state = {
    phase: 'backfill' as const,
    run: 7,
    generation: 2,
    replace: true,
    consistency: 'chunk' as const,
    plan,
    done: [[0, 3]] as [number, number][],
  };
  const backfill = new StreamBackfill(selected, { action: 'resume', state }, contextOf('chunk'));
  expect(backfill.begin(plan).map(({ type }) => type)).toEqual(['BACKFILL', 'STATUS', 'STATE']);
});

test('starting over outdates the chunks in flight and replaces what was written', () => {
  const backfill = begin(true);
  backfill.begin(plan);
  const task = backfill.takeChunk();
  backfill.startOver();
  expect(task && backfill.isCurrent(task)).toBe(false);
  expect(backfill.begin({ ...plan, identity: 'j' })).toEqual([
    { type: 'BACKFILL', stream: 's', generation: 2, replace: true },
  ]);
});

test('a stream that is given up says why and hands out nothing more', () => {
  const backfill = begin(true);
  backfill.begin(plan);
  const task = backfill.takeChunk();
  expect(backfill.fail(new ConnectorError('permission_denied', 'No.'))).toEqual([
    { type: 'STATUS', stream: 's', status: 'INCOMPLETE', reason: 'No.' },
  ]);
  expect([backfill.takeChunk(), task && backfill.isCurrent(task)]).toEqual([undefined, false]);
});
