import type { JournalRun } from '@fjord/engine';
import { age } from './table-view.ts';

/** How a run ended, in a word or two. One that has no end and whose process is gone was killed. */
export function outcome(run: JournalRun): string {
  if (run.exitCode === undefined) return isAlive(run.pid) ? `running, process ${run.pid}` : 'killed';
  if (run.exitCode === 0) return 'complete';
  return run.code ?? `exit code ${run.exitCode}`;
}

/** `begun 3 hours ago, took 12.3 s`. */
export function since({ startedAt, endedAt }: JournalRun, now: number): string {
  const begun = Date.parse(startedAt);
  const took = endedAt === undefined ? '' : `, took ${((Date.parse(endedAt) - begun) / 1000).toFixed(1)} s`;
  return `begun ${age(now - begun)} ago${took}`;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
