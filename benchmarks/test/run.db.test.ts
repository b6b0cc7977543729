import { mustRun, runProcess, temporaryFolder } from '@fjord/test-harness';
import path from 'node:path';
import { expect, test } from 'vitest';

const RUN = path.resolve(import.meta.dirname, '../run.ts');

async function bench(...args: string[]): Promise<Record<string, unknown>> {
  await using cache = await temporaryFolder('fjord-bench-cache');
  const { stdout } = await mustRun(process.execPath, [RUN, '--checkout', ...args], {
    env: { FJORD_CACHE: cache.path },
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

const positive = expect.any(Number);

test('a load of trips ends with a line of JSON that has all figures', async () => {
  const result = await bench('trips', '--rows', '20000');
  expect(result).toMatchObject({
    name: 'trips',
    rows: 20_000,
    wallS: positive,
    rowsPerS: positive,
    cpuS: positive,
    cpuParts: { engine: positive, source: positive, destination: positive },
    peakRssMB: positive,
    floorRowsPerS: positive,
    floor1RowsPerS: positive,
    machine: { cpu: expect.any(String), cores: positive, memoryGB: positive, node: process.versions.node },
    bytesWritten: positive,
    files: 1,
    options: { rows: 20_000, checkout: true },
  });
  // The kernel's sum holds at least what the processes said of themselves.
  const { cpuS, cpuParts } = result as { cpuS: number; cpuParts: Record<string, number> };
  const parts = Object.values(cpuParts).reduce((sum, seconds) => sum + seconds, 0);
  expect(cpuS).toBeGreaterThan(parts - 0.05);
  expect(cpuS).toBeLessThan(parts + 1);
});

test('rows of the synthetic source are read in chunks and thrown away', async () => {
  const result = await bench('null-destination', '--source', 'synthetic', '--rows', '450000', '--parallel', '2');
  expect(result).toMatchObject({ name: 'null-destination', rows: 450_000, options: { synthetic: true, parallel: 2 } });
  expect(result).not.toHaveProperty('floorRowsPerS');
});

test('a wrong command line ends with exit code 2 and the usage', async () => {
  const { exitCode, stderr } = await runProcess(process.execPath, [RUN, 'tips']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('error: NAME must be one of trips');
  expect(stderr).toContain('Usage: pnpm bench NAME');
});
