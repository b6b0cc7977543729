import { spawnSync } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * Lets everybody else on this machine go first: this process, its threads, and what they start from here on run when a core is idle. Where the
 * operating system has no such class of processes, or nothing to choose it by, they have the lowest priority.
 */
export function yieldToOthers(): void {
  setPriority(constants.priority.PRIORITY_LOW);
  if (process.platform !== 'linux') return;
  // At low priority alone a thread keeps its core for some milliseconds after a thread of the server has woken up.
  spawnSync('chrt', ['--idle', '--all-tasks', '--pid', '0', String(process.pid)], { stdio: 'ignore' });
}
