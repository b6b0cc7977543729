import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from './failure.ts';
import type { Pipeline } from './pipeline.ts';
import { runSync, type SyncOptions, type SyncResult } from './sync.ts';

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
/** A run that lasted so long was well: the next fault is a first one. */
const WELL_AFTER_MS = 60_000;

export type FollowOptions = SyncOptions & {
  /** Called before a run begins again, with what ended the one before. */
  onRestart(cause: Failure, waitMs: number): void;
};

/**
 * Runs a sync that goes on with the change log until the signal. One that a fault has ended which may pass (a connector was killed, storage
 * or catalog cannot be reached) begins again from its last commit, after twice as long each time.
 */
export async function runFollow(pipeline: Pipeline, options: FollowOptions): Promise<SyncResult> {
  const { signal } = options;
  for (let faults = 0; ; faults++) {
    const startedAt = performance.now();
    const result = await runSync(pipeline, { ...options, follow: true });
    if (signal.aborted || !result.cause?.retryable) return result;
    if (performance.now() - startedAt >= WELL_AFTER_MS) faults = 0;
    const waitMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** faults) * (0.5 + Math.random() / 2);
    options.onRestart(result.cause, waitMs);
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return result;
  }
}
