import { expect, test } from 'vitest';
import { CHANGES_ARE, nextPhase, type Phase, type Step } from '../../src/changes/phase.ts';

const through = (steps: Step[], from: Phase = 'waiting') => steps.reduce(nextPhase, from);

test.each<[Step[], Phase, string]>([
  [[], 'waiting', 'forget'],
  [['begin'], 'loading', 'hold'],
  [['begin', 'begin'], 'loading', 'hold'],
  [['begin', 'last chunk'], 'catching-up', 'pass'],
  [['begin', 'last chunk', 'handover'], 'following', 'pass'],
  [['fail'], 'failed', 'drop'],
  [['begin', 'fail', 'last chunk', 'begin'], 'failed', 'drop'],
  [['begin', 'last chunk', 'handover', 'drop'], 'gone', 'drop'],
  [['begin', 'drop', 'fail', 'last chunk'], 'gone', 'drop'],
])('after %j a stream is %s, and its changes are for: %s', (steps, phase, changes) => {
  expect(through(steps)).toBe(phase);
  expect(CHANGES_ARE[phase]).toBe(changes);
});

test.each<[Step[]]>([[['handover']], [['last chunk']], [['begin', 'handover']], [['begin', 'last chunk', 'begin']]])(
  'the steps %j are a bug',
  (steps) => {
    expect(() => through(steps)).toThrow(/cannot take the step/);
  },
);
