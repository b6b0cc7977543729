import type { SelectedStream } from '@fjord/core';
import { ConnectorError } from '@fjord/core';
import { expect, test } from 'vitest';
import { StreamBackfill } from '../src/stream-backfill.ts';

const selected: SelectedStream = {
  stream: 's',
  name: 's',
  columns: [],
  primaryKey: [],
  writeMode: 'append',
  target: { namespace: ['n'], name: 's' },
};
const plan = { identity: 'i', chunks: 3, layout: 'l' };
const begin = (resumable: boolean) =>
  new StreamBackfill(selected, { action: 'begin', generation: 1, replace: false }, { number: 7, resumable });

test('each chunk done gives a state that holds ranges, the last one COMPLETE before the last state', () => {
  const backfill = begin(true);
  expect(backfill.begin(plan)).toEqual([{ type: 'BACKFILL', stream: 's', generation: 1, replace: false }]);
  expect(
    [backfill.takeChunk(), backfill.takeChunk(), backfill.takeChunk(), backfill.takeChunk()].map((t) => t?.chunk),
  ).toEqual([0, 1, 2, undefined]);
  const state = { phase: 'backfill', run: 7, generation: 1, replace: false, plan };
  expect(backfill.finishChunk(2)).toEqual([{ type: 'STATE', stream: 's', state: { ...state, done: [[2, 3]] } }]);
  expect(backfill.finishChunk(0)).toEqual([
    {
      type: 'STATE',
      stream: 's',
      state: {
        ...state,
        done: [
          [0, 1],
          [2, 3],
        ],
      },
    },
  ]);
  expect(backfill.finishChunk(1)).toEqual([
    { type: 'STATUS', stream: 's', status: 'COMPLETE' },
    { type: 'STATE', stream: 's', state: { phase: 'complete', run: 7, generation: 1 } },
  ]);
});

test('in snapshot consistency nothing before the end can be resumed from, so no state is given', () => {
  const backfill = begin(false);
  backfill.begin(plan);
  expect([backfill.finishChunk(0), backfill.finishChunk(1)]).toEqual([[], []]);
  expect(backfill.finishChunk(2).map(({ type }) => type)).toEqual(['STATUS', 'STATE']);
});

test('a resumed backfill reads only what is not done', () => {
  const state = {
    phase: 'backfill' as const,
    run: 7,
    generation: 2,
    replace: true,
    plan,
    done: [
      [0, 1],
      [2, 3],
    ] as [number, number][],
  };
  const backfill = new StreamBackfill(selected, { action: 'resume', state }, { number: 7, resumable: true });
  expect(backfill.begin(plan)).toEqual([{ type: 'BACKFILL', stream: 's', generation: 2, replace: true }]);
  expect([backfill.takeChunk()?.chunk, backfill.takeChunk()]).toEqual([1, undefined]);
});

test('a resumed backfill with nothing left is complete at once', () => {
  const state = {
    phase: 'backfill' as const,
    run: 7,
    generation: 2,
    replace: true,
    plan,
    done: [[0, 3]] as [number, number][],
  };
  const backfill = new StreamBackfill(selected, { action: 'resume', state }, { number: 7, resumable: true });
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
