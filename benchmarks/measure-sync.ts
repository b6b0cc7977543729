import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpuOfEndedChildrenS, type PeakMemory, watchMemory } from './process-tree.ts';

const CLI = path.resolve(import.meta.dirname, '../packages/cli/src/bin.ts');
const USAGE = pathToFileURL(path.join(import.meta.dirname, 'usage.mjs')).href;

type Parts = { engine: number; source: number; destination: number };

/** What a sync took. `cpuS` is the kernel's sum for all its processes; `cpuParts` what each said of itself at its end, before it gave its memory back. `rows` are those that the sync says it copied. */
export type SyncFigures = PeakMemory & {
  wallS: number;
  cpuS: number;
  cpuParts: Parts;
  rssPartsMB: Parts;
  rows: number;
};

/** How to run it: `folder` takes the processes' figures, `environment` is added to ours; `installed` is where npm has installed the packages, else the checkout's sources run. */
export type SyncRequest = {
  folder: string;
  environment: Record<string, string>;
  memory?: number;
  profile?: string;
  installed?: string;
  /** Runs on and follows the change log until told to stop. */
  isFollowing?: boolean;
};

/** Runs `fjord sync` on a pipeline file as a process of its own, from its start to its end. */
export async function measureSync(file: string, request: SyncRequest): Promise<SyncFigures> {
  const usage = path.join(request.folder, 'usage');
  await mkdir(usage);
  const cpuBefore = cpuOfEndedChildrenS();
  const start = performance.now();
  const child = startSync(file, request, nodeEnvironment(usage, request.profile));
  const memory = watchMemory(child.pid ?? 0);
  let summary = '';
  let log = '';
  child.stdout.on('data', (data: Buffer) => (summary += data.toString()));
  // Only the end is shown if it fails; what came before would grow with the run.
  child.stderr.on('data', (data: Buffer) => (log = (log + data.toString()).slice(-4000)));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const wallS = (performance.now() - start) / 1000;
  const peak = memory.stop();
  if (code !== 0) throw new Error(`fjord sync ended with exit code ${String(code)}:\n${log}`);
  const { cpuParts, rssPartsMB } = await readUsage(usage);
  const ownCpuS = cpuParts.engine + cpuParts.source + cpuParts.destination;
  const cpuS = Math.max(cpuOfEndedChildrenS() - cpuBefore, ownCpuS);
  return { wallS, cpuS, cpuParts, rssPartsMB, ...peak, rows: rowsIn(summary) };
}

/** Starts `fjord sync` as a process of its own. */
export function startSync(file: string, request: SyncRequest, environment: Record<string, string> = {}) {
  return spawn(process.execPath, argumentsOf(file, request), {
    env: { ...process.env, ...request.environment, ...environment },
    // Connectors are looked for from here.
    ...(request.installed !== undefined && { cwd: request.installed }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function argumentsOf(file: string, { memory, installed, isFollowing }: SyncRequest): string[] {
  const program = installed === undefined ? CLI : path.join(installed, 'node_modules/@fjord/cli/dist/bin.js');
  const follow = isFollowing === true ? ['--follow'] : [];
  return [program, 'sync', file, '--json', ...follow, ...(memory === undefined ? [] : ['--memory', String(memory)])];
}

function nodeEnvironment(usage: string, profile: string | undefined) {
  const flags = profile === undefined ? '' : ` --cpu-prof --cpu-prof-dir=${path.resolve(profile)}`;
  return { FJORD_BENCH_USAGE: usage, NODE_OPTIONS: `--import=${USAGE}${flags}` };
}

/** Sums CPU and takes the largest memory of the processes of each part; `spec` and `discover`, which the engine asks for, count as its own. */
async function readUsage(folder: string): Promise<{ cpuParts: Parts; rssPartsMB: Parts }> {
  const cpuParts = { engine: 0, source: 0, destination: 0 };
  const rssPartsMB = { engine: 0, source: 0, destination: 0 };
  for (const name of await readdir(folder)) {
    const { part, cpuS, rssMB }: { part: keyof Parts; cpuS: number; rssMB: number } = JSON.parse(
      await readFile(path.join(folder, name), 'utf8'),
    );
    cpuParts[part] += cpuS;
    rssPartsMB[part] = Math.max(rssPartsMB[part], Math.round(rssMB));
  }
  const missing = Object.entries(cpuParts).filter(([, cpuS]) => cpuS === 0);
  if (missing.length > 0) throw new Error(`No figures of ${missing.map(([part]) => part).join(', ')} were left.`);
  return { cpuParts, rssPartsMB };
}

function rowsIn(summary: string): number {
  const { streams }: { streams: { rows: number }[] } = JSON.parse(summary);
  return streams.reduce((sum, { rows }) => sum + rows, 0);
}
