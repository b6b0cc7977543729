import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 50;
/** Proportional memory makes the kernel walk all pages: looked at every tenth time. */
const SAMPLES_PER_PSS = 10;
/** USER_HZ: the unit of /proc/<pid>/stat, 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** Peak sums over a process and its descendants. Rss counts shared pages (the program itself) once for each process, Pss once. */
export type PeakMemory = { peakRssMB: number; peakPssMB: number };

/** Watches the memory of a process and its descendants until `stop`. Linux only: zeros elsewhere. */
export function watchMemory(pid: number): { stop(): PeakMemory } {
  const peak = { peakRssMB: 0, peakPssMB: 0 };
  let samples = 0;
  const timer = setInterval(() => {
    peak.peakRssMB = Math.max(peak.peakRssMB, memoryMB(pid, 'status', 'VmRSS'));
    if (samples++ % SAMPLES_PER_PSS === 0) peak.peakPssMB = Math.max(peak.peakPssMB, pssOfTreeMB(pid));
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

/** Proportional memory of a process and its descendants as it is now. */
export function pssOfTreeMB(pid: number): number {
  return memoryMB(pid, 'smaps_rollup', 'Pss');
}

/** CPU seconds, user and system, of all descendants of this process that have ended and were waited for. */
export function cpuOfEndedChildrenS(): number {
  const { childUser, childSystem } = timesOf(process.pid);
  return childUser + childSystem;
}

/** CPU seconds of a process and its descendants, ended ones included. */
export function cpuOfTreeS(pid: number): number {
  return treeOf(pid)
    .map(timesOf)
    .reduce((sum, { user, system, childUser, childSystem }) => sum + user + system + childUser + childSystem, 0);
}

function memoryMB(pid: number, file: string, field: string): number {
  return Math.round(treeOf(pid).reduce((total, one) => total + kilobytes(one, file, field), 0) / 1024);
}

function treeOf(pid: number): number[] {
  const children = tasksOf(pid).flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(' '));
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => treeOf(Number(child)))];
}

/** Any thread may have started a child. */
function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function timesOf(pid: number) {
  const stat = read(`/proc/${pid}/stat`);
  // The program's name, in brackets, may hold spaces: fields are counted from its end. proc(5): utime is field 14.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (index: number) => Number(fields[index] ?? 0) / TICKS_PER_S;
  return { user: seconds(11), system: seconds(12), childUser: seconds(13), childSystem: seconds(14) };
}

function kilobytes(pid: number, file: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/${file}`))?.[1] ?? 0);
}

/** Empty when the process has ended since we looked. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
