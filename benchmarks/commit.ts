import { spawnSync } from 'node:child_process';
import {
  type DataFile,
  commitTable,
  createSchema,
  encodeValue,
  openSqlCatalog,
  planFiles,
  stageSnapshot,
} from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { describeMachine } from './machine.ts';

const FILES_PER_COMMIT = 1000;
const COLUMNS = 16;
const RUNS = 5;
const TABLE = { namespace: ['bench'], name: 'big' };

/** One kind of commit: median milliseconds from load to answer, median CPU of the process in it, and the most memory of the processes that made it. */
type Figure = { medianMs: number; cpuMs: number; peakRssMB: number };

/** Makes a table of so many files (metrics of 16 columns each) and measures, in a process of its own, commits that append and that remove a file. */
export async function benchmarkCommit({ rows: files }: { rows: number }) {
  await using folder = await temporaryFolder('bench-commit');
  // Not here: a process begins with the peak memory of the one that starts it.
  run(folder.path, 'make', String(files));
  const measured = (kind: string) => Array.from({ length: RUNS }, () => runCommit(folder.path, kind));
  return {
    name: 'commit',
    files,
    machine: describeMachine(),
    append: summarize(measured('append')),
    remove: summarize(measured('remove')),
    plan: summarize(measured('plan')),
  };
}

/** The figures for people. */
export function describeCommit(result: Awaited<ReturnType<typeof benchmarkCommit>>): string {
  const line = (name: string, { medianMs, cpuMs, peakRssMB }: Figure) =>
    `${name.padEnd(22)}  ${medianMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms CPU, ${peakRssMB} MB RSS at the peak\n`;
  return (
    `table                   ${result.files.toLocaleString('en-US')} files\n` +
    line('append a file', result.append) +
    line('remove a file', result.remove) +
    line('plan with a filter', result.plan)
  );
}

function summarize(runs: Figure[]): Figure {
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[(RUNS - 1) / 2] ?? 0;
  return {
    medianMs: median(runs.map(({ medianMs }) => medianMs)),
    cpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
    peakRssMB: Math.max(...runs.map(({ peakRssMB }) => peakRssMB)),
  };
}

const runCommit = (folder: string, kind: string): Figure => JSON.parse(run(folder, kind));

function run(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, folder, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the commit ended with exit code ${status}:\n${stderr}`);
  return stdout;
}

const openCatalog = (folder: string) => openSqlCatalog({ uri: `${folder}/catalog.db`, warehouse: folder });

async function makeTable(folder: string, files: number): Promise<void> {
  await using catalog = await openCatalog(folder);
  await catalog.createNamespace(TABLE.namespace);
  const columns = Array.from({ length: COLUMNS }, (_, index) => ({ name: `c${index}`, type: 'long' as const }));
  await catalog.createTable(TABLE, { schema: createSchema(columns) });
  for (let first = 0; first < files; first += FILES_PER_COMMIT) {
    const append = Array.from({ length: Math.min(FILES_PER_COMMIT, files - first) }, (_, index) =>
      describeFile(first + index),
    );
    await commitTable(catalog, TABLE, (table) => stageSnapshot(table, { append }));
  }
}

function describeFile(number: number): DataFile {
  const byColumn = <T>(value: (id: number) => T) =>
    new Map(Array.from({ length: COLUMNS }, (_, index) => [index + 1, value(index + 1)]));
  const counts = byColumn(() => 1000n);
  return {
    filePath: `/warehouse/bench/big/data/pipeline/g1-chunk-${number}-00000.parquet`,
    fileFormat: 'PARQUET',
    recordCount: 1000n,
    fileSizeInBytes: 1_000_000n + BigInt(number),
    columnSizes: byColumn((id) => BigInt(5000 + ((number * id) % 1000))),
    valueCounts: counts,
    nullValueCounts: byColumn(() => 0n),
    lowerBounds: byColumn((id) => encodeValue('long', BigInt(number) * 1000n * BigInt(id))),
    upperBounds: byColumn((id) => encodeValue('long', (BigInt(number) * 1000n + 999n) * BigInt(id))),
    splitOffsets: [4n],
  };
}

/** What the measured process does: one commit on the table as it finds it. */
async function measure(folder: string, kind: string): Promise<Figure> {
  await using catalog = await openCatalog(folder);
  const [start, cpuStart] = [performance.now(), process.cpuUsage()];
  if (kind === 'plan') await plan(catalog);
  else {
    const append = [describeFile(Date.now())];
    const victim = `-${process.pid % 1000}-00000.parquet`;
    await commitTable(catalog, TABLE, (table) =>
      stageSnapshot(table, kind === 'append' ? { append } : { remove: (file) => file.filePath.endsWith(victim) }),
    );
  }
  const medianMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  return { medianMs, cpuMs: (user + system) / 1000, peakRssMB: Math.round(process.resourceUsage().maxRSS / 1024) };
}

async function plan(catalog: Awaited<ReturnType<typeof openCatalog>>): Promise<void> {
  const table = await catalog.loadTable(TABLE);
  if (!table) throw new Error('the table is gone');
  const files = await Array.fromAsync(planFiles(table, { filter: { op: '=', column: 'c0', value: 5_000_500n } }));
  if (files.length !== 1) throw new Error(`${files.length} files were planned where there is one`);
}

if (process.argv[1] === import.meta.filename) {
  const [, , folder = '', kind = '', files = ''] = process.argv;
  if (kind === 'make') await makeTable(folder, Number(files));
  else process.stdout.write(JSON.stringify(await measure(folder, kind)));
}
