/**
 * Where a stream stands that follows the change log. `waiting`: nothing of it is in its table yet; `loading`: chunks wait or are in flight;
 * `catching-up`: all chunks are out, the log has not passed the head that was taken then; `following`: its table is as the source was at its
 * position; `failed`: given up for this run; `gone`: dropped in the source.
 */
export type Phase = 'waiting' | 'loading' | 'catching-up' | 'following' | 'failed' | 'gone';

/** What moves a stream from one phase to another. */
export type Step = 'begin' | 'last chunk' | 'handover' | 'fail' | 'drop';

/** Every phase says what each step means for it; null is what cannot happen. */
const NEXT = {
  waiting: { begin: 'loading', 'last chunk': null, handover: null, fail: 'failed', drop: 'gone' },
  loading: { begin: 'loading', 'last chunk': 'catching-up', handover: null, fail: 'failed', drop: 'gone' },
  'catching-up': { begin: null, 'last chunk': null, handover: 'following', fail: 'failed', drop: 'gone' },
  following: { begin: null, 'last chunk': null, handover: null, fail: 'failed', drop: 'gone' },
  failed: { begin: 'failed', 'last chunk': 'failed', handover: null, fail: 'failed', drop: 'failed' },
  gone: { begin: 'gone', 'last chunk': 'gone', handover: null, fail: 'gone', drop: 'gone' },
} as const satisfies Record<Phase, Record<Step, Phase | null>>;

/** The phase after a step. A step that cannot happen in a phase is a bug. */
export function nextPhase(phase: Phase, step: Step): Phase {
  const next: Phase | null = NEXT[phase][step];
  if (next === null) throw new Error(`a stream that is ${phase} cannot take the step "${step}"`);
  return next;
}

/**
 * What becomes of a stream's changes. `forget`: its chunks will hold them, once their transaction is over; `hold`: kept until no chunk is
 * in flight; `pass`: sent at once; `drop`: nobody takes them.
 */
export const CHANGES_ARE = {
  waiting: 'forget',
  loading: 'hold',
  'catching-up': 'pass',
  following: 'pass',
  failed: 'drop',
  gone: 'drop',
} as const satisfies Record<Phase, 'forget' | 'hold' | 'pass' | 'drop'>;
