import { writeFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';

/**
 * Gives the session that the process `pid` leads this process's priority if that was lowered (`nice`). Linux compares the sessions of a machine
 * with each other before their processes, and each connector leads one: without this, its own low priority would yield to nobody else.
 * Where there is no such grouping nothing happens.
 */
export function passOnPriority(pid: number): void {
  const priority = getPriority();
  if (process.platform !== 'linux' || priority <= constants.priority.PRIORITY_NORMAL) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(priority));
  } catch {
    // It has ended already, or the kernel has no such groups.
  }
}
