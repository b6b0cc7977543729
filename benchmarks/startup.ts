import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describeMachine } from './machine.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const RUNS = 11;

/** Each command, the program of it in the checkout, and its name where npm has installed it. */
const COMMANDS = [
  { name: 'fjord --version', script: 'packages/cli/src/bin.ts', bin: 'fjord', args: ['--version'] },
  {
    name: 'source-postgres spec',
    script: 'packages/source-postgres/src/bin.ts',
    bin: 'fjord-source-postgres',
    args: ['spec'],
  },
  { name: 'dest-iceberg spec', script: 'packages/dest-iceberg/src/bin.ts', bin: 'fjord-dest-iceberg', args: ['spec'] },
];

/** Median milliseconds, from start to end, of the commands that people and programs wait for, as npm has installed them in `installed`, else of the checkout. */
export function benchmarkStartup(installed: string | undefined) {
  const medianMs: Record<string, number> = {};
  for (const { name, script, bin, args } of COMMANDS) {
    const program = installed === undefined ? path.join(ROOT, script) : path.join(installed, 'node_modules/.bin', bin);
    medianMs[name] = medianOf([program, ...args]);
  }
  return { name: 'startup', medianMs, machine: describeMachine(), date: new Date().toISOString().slice(0, 10) };
}

function medianOf(args: string[]): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with exit code ${status}:\n${stderr}`);
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[(RUNS - 1) / 2] ?? 0;
}
