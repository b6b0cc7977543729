import { spawnSync } from 'node:child_process';
import {
  type Catalog,
  commitTable,
  createSchema,
  type DataFile,
  MAIN,
  openSqlCatalog,
  stageSnapshot,
} from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { KeyIndexes } from '../packages/dest-iceberg/src/changes/key-indexes.ts';
import type { MaintenanceOptions } from '../packages/dest-iceberg/src/maintenance/maintenance-config.ts';
import { maintainTable } from '../packages/dest-iceberg/src/maintenance/maintain-table.ts';
import { openParquetPool } from '../packages/dest-iceberg/src/parquet/sink.ts';
import { describeMachine } from './machine.ts';
import { tripBatch, tripFields } from './made-up-trips.ts';

const TABLE = { namespace: ['bench'], name: 'trips' };
/** What a commit every few seconds leaves: so few rows a file that they are encoded anew. */
const FEW_ROWS = 10_000;
/** So many that their row groups are copied. */
const MANY_ROWS = 40_000;
const MEGABYTE = 1024 * 1024;
const TARGET_BYTES = 32 * MEGABYTE;
const MEMORY_BYTES = 256 * MEGABYTE;
const RUNS = 3;
const OPTIONS: MaintenanceOptions = {
  snapshotAgeHours: 24,
  snapshotsToKeep: 10,
  orphanAgeHours: 72,
  minInputFiles: 5,
  deletedShare: 0.3,
  whileFollowing: false,
  filesWhileFollowing: 30,
  snapshotsWhileFollowing: 300,
};

/** One compaction of the whole table: seconds and CPU seconds of the process, its peak memory, files before and after. */
type Figure = { wallS: number; cpuS: number; peakRssMB: number; files: number; into: number };

/**
 * Writes made-up trips as many small files and measures, in a process of its own, how they are compacted: files of so few rows that they are decoded
 * and encoded anew, and files whose row groups are copied. MB are of Arrow, 10^6 bytes of the IPC streams that the rows were written from.
 */
export async function benchmarkMaintain({ rows }: { rows: number }) {
  const encoded = await measureFiles(rows, FEW_ROWS);
  return {
    name: 'maintain',
    rows,
    ...encoded,
    copied: await measureFiles(rows, MANY_ROWS),
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
  };
}

async function measureFiles(rows: number, rowsPerFile: number) {
  await using folder = await temporaryFolder('bench-maintain');
  const arrowBytes = await makeTable(folder.path, rows, rowsPerFile);
  const runs: Figure[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(compactOnce(folder.path));
    await undo(folder.path);
  }
  const [median] = runs.toSorted((a, b) => a.wallS - b.wallS).slice(RUNS >> 1);
  if (!median) throw new Error('nothing was measured');
  return { arrowMB: arrowBytes / 1e6, arrowMBPerS: arrowBytes / 1e6 / median.wallS, ...median };
}

/** The figures for people. */
export function describeMaintain({ copied, ...encoded }: Awaited<ReturnType<typeof benchmarkMaintain>>): string {
  return `${describeFigure('encoded anew', encoded)}${describeFigure('copied', copied)}`;
}

function describeFigure(name: string, figure: Awaited<ReturnType<typeof measureFiles>>): string {
  const { arrowMB, arrowMBPerS, wallS, cpuS, peakRssMB, files, into } = figure;
  return (
    `${name.padEnd(14)} ${files} files into ${into}: ${arrowMB.toFixed(0)} MB of Arrow in ${wallS.toFixed(2)} s, ` +
    `${arrowMBPerS.toFixed(0)} MB/s; ${cpuS.toFixed(2)} CPU s, ${peakRssMB.toFixed(0)} MB RSS at the peak\n`
  );
}

const openCatalog = (folder: string) => openSqlCatalog({ uri: `${folder}/catalog.db`, warehouse: folder });
const openPool = () => openParquetPool({ memoryBytes: MEMORY_BYTES, io: {}, targetFileBytes: TARGET_BYTES });

async function makeTable(folder: string, rows: number, rowsPerFile: number): Promise<number> {
  await using catalog = await openCatalog(folder);
  await catalog.createNamespace(TABLE.namespace);
  const columns = tripFields.map(({ name, type, required }) => ({ name, type, required }));
  await catalog.createTable(TABLE, { schema: createSchema(columns) });
  await using pool = openPool();
  const append: DataFile[] = [];
  let bytes = 0;
  for (let first = 0; first < rows; first += rowsPerFile) {
    const batch = tripBatch(first, Math.min(rowsPerFile, rows - first));
    bytes += batch.length;
    const writer = pool.openFile({ prefix: `${folder}/bench/trips/data/p/g1-${first}`, fields: tripFields });
    await writer.write({ rows: Math.min(rowsPerFile, rows - first), body: [new Uint8Array(batch)] });
    append.push(...(await writer.close()));
  }
  await commitTable(catalog, TABLE, (table) => stageSnapshot(table, { append }));
  return bytes;
}

/** Main goes back to the small files, which the history still holds. */
async function undo(folder: string): Promise<void> {
  await using catalog = await openCatalog(folder);
  await commitTable(catalog, TABLE, ({ metadata }) => {
    const first = metadata.snapshots[0]?.['snapshot-id'];
    if (first === undefined) throw new Error('the small files are gone');
    const ref = { type: 'branch', 'snapshot-id': first } as const;
    return { requirements: [], updates: [{ action: 'set-snapshot-ref', 'ref-name': MAIN, ...ref }] };
  });
}

function compactOnce(folder: string): Figure {
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the compaction ended with exit code ${status}:\n${stderr}`);
  return JSON.parse(stdout) as Figure;
}

/** What the measured process does. */
async function measure(catalog: Catalog): Promise<Figure> {
  const [start, cpuStart] = [performance.now(), process.cpuUsage()];
  await using pool = openPool();
  await using indexes = new KeyIndexes({ memoryBytes: MEMORY_BYTES, diskBytes: 0 });
  const report = await maintainTable({
    catalog,
    identifier: TABLE,
    pool,
    indexes,
    options: OPTIONS,
    targetFileBytes: TARGET_BYTES,
    skipOrphans: true,
    signal: new AbortController().signal,
  });
  const { user, system } = process.cpuUsage(cpuStart);
  const { files = 0, into = 0 } = report?.compaction ?? {};
  return {
    wallS: (performance.now() - start) / 1000,
    cpuS: (user + system) / 1e6,
    peakRssMB: process.resourceUsage().maxRSS / 1024,
    files,
    into,
  };
}

if (process.argv[1] === import.meta.filename) {
  await using catalog = await openCatalog(process.argv[2] ?? '');
  const figure = await measure(catalog);
  process.stdout.write(JSON.stringify(figure));
}
