import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { machine } from './machine.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const RUNS = 11;
const COMMANDS = {
  'fjord --version': ['packages/cli/src/bin.ts', '--version'],
  'source-postgres spec': ['packages/source-postgres/src/bin.ts', 'spec'],
  'dest-iceberg spec': ['packages/dest-iceberg/src/bin.ts', 'spec'],
};

/** Median milliseconds from start to end of the commands that people and programs wait for. */
export async function benchmarkStartup(): Promise<void> {
  const medians = Object.entries(COMMANDS).map(([name, args]) => {
    const times = Array.from({ length: RUNS }, () => {
      const start = performance.now();
      spawnSync(process.execPath, args, { cwd: ROOT });
      return performance.now() - start;
    }).toSorted((a, b) => a - b);
    return [name, Math.round(times[(RUNS - 1) / 2] ?? 0)];
  });
  process.stdout.write(
    `${JSON.stringify({ name: 'startup', medianMs: Object.fromEntries(medians), machine: machine() })}\n`,
  );
}
