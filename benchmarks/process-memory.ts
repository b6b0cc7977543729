import { readdirSync, readFileSync } from 'node:fs';

/** Watches a process and its descendants; gives the highest sum of their resident memory in MB, sampled every 100 ms. */
export function watchMemory(pid: number): { stop(): number } {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, sumOfResidentMB(pid));
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(peak);
    },
  };
}

function sumOfResidentMB(root: number): number {
  const processes = new Map<number, { parent: number; residentMB: number }>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      processes.set(Number(name), { parent: field('PPid'), residentMB: field('VmRSS') / 1024 });
    } catch {
      // It ended between the listing and the look.
    }
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (processes.has(pid) && isBelow(processes.get(pid)?.parent ?? 0));
  return [...processes].reduce((sum, [pid, { residentMB }]) => (isBelow(pid) ? sum + residentMB : sum), 0);
}
