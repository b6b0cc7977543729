import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@fjord/test-harness';
import { prepareTests } from './prepare-tests.ts';
import { summarise } from './test-summary.ts';

const root = path.resolve(import.meta.dirname, '..');

const CHECKS: Record<string, string[]> = {
  types: ['turbo', 'run', 'types', '--output-logs=errors-only'],
  'types of the scripts': ['tsc', '-p', 'scripts/tsconfig.json'],
  lint: ['oxlint', '--type-aware', '--quiet'],
  format: ['oxfmt', '--check'],
};

/** `quick`: types, lint, format, unit and db tests; `heavy`: the heavy tests. Further arguments go to vitest. */
const [kind, ...vitestArgs] = process.argv.slice(2);
if (kind !== 'quick' && kind !== 'heavy')
  throw new Error('Usage: node scripts/run-tests.ts quick|heavy [vitest arguments]');

const failedChecks = kind === 'quick' ? await runChecks() : [];
await prepareTests(kind);
await using folder = await temporaryFolder('fjord-report');
const report = path.join(folder.path, 'report.json');
const projects = kind === 'quick' ? ['--project', 'unit', '--project', 'db'] : ['--project', 'heavy'];
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const vitestCode = await run(['vitest', 'run', ...projects, ...reporters, ...vitestArgs]);
const summary = existsSync(report) ? summarise(JSON.parse(await readFile(report, 'utf8')), root) : undefined;
for (const line of summary?.skipped ?? []) process.stdout.write(`skipped: ${line}\n`);
for (const line of summary?.brokenFiles ?? []) process.stdout.write(`could not be run: ${line}\n`);
if (failedChecks.length > 0) process.stdout.write(`failed checks: ${failedChecks.join(', ')}\n`);
process.stdout.write(`${summary?.line ?? 'vitest did not finish'}\n`);
process.exitCode = vitestCode === 0 && failedChecks.length === 0 ? 0 : 1;

async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, command] of Object.entries(CHECKS)) {
    const start = performance.now();
    const code = await run(command);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)\n`);
    if (code !== 0) failed.push(name);
  }
  return failed;
}

function run([command = '', ...args]: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = path.join(root, 'node_modules', '.bin', command);
    const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}
