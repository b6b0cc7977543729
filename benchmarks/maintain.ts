import { spawnSync } from 'node:child_process';
import { Value } from '@sinclair/typebox/value';
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
import { MaintenanceSchema } from '../packages/dest-iceberg/src/maintenance/maintenance-config.ts';
import { maintainTable } from '../packages/dest-iceberg/src/maintenance/maintain-table.ts';
import { openParquetPool } from '../packages/dest-iceberg/src/parquet/sink.ts';
import { describeMachine } from './machine.ts';
import { tripBatch, tripFields } from './made-up-trips.ts';

const TABLE = { namespace: ['bench'], name: 'trips' };
/** What a commit every few seconds leaves. */
const ROWS_PER_FILE = 20_000;
const MEGABYTE = 1024 * 1024;
const TARGET_BYTES = 32 * MEGABYTE;
const MEMORY_BYTES = 256 * MEGABYTE;
const RUNS = 3;

/** One compaction of the whole table: seconds and CPU seconds of the process, its peak memory, files before and after. */
type Figure = { wallS: number; cpuS: number; peakRssMB: number; files: number; into: number };

/** Writes made-up trips as many small files and measures, in a process of its own, how they are compacted. MB are of Arrow, 10^6 bytes. */
export async function benchmarkMaintain({ rows }: { rows: number }) {
  await using folder = await temporaryFolder('bench-maintain');
  const arrowBytes = await makeTable(folder.path, rows);
  const runs: Figure[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(compactOnce(folder.path));
    await undo(folder.path);
  }
  const [median] = runs.toSorted((a, b) => a.wallS - b.wallS).slice(RUNS >> 1);
  if (!median) throw new Error('nothing was measured');
  return {
    name: 'maintain',
    rows,
    arrowMB: arrowBytes / 1e6,
    arrowMBPerS: arrowBytes / 1e6 / median.wallS,
    ...median,
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The figures for people. */
export function describeMaintain(result: Awaited<ReturnType<typeof benchmarkMaintain>>): string {
  const { arrowMB, arrowMBPerS, wallS, cpuS, peakRssMB, files, into } = result;
  return (
    `compaction  ${files} files into ${into}: ${arrowMB.toFixed(0)} MB of Arrow in ${wallS.toFixed(2)} s, ` +
    `${arrowMBPerS.toFixed(0)} MB/s; ${cpuS.toFixed(2)} CPU s, ${peakRssMB.toFixed(0)} MB RSS at the peak\n`
  );
}

const openCatalog = (folder: string) => openSqlCatalog({ uri: `${folder}/catalog.db`, warehouse: folder });
const openPool = () => openParquetPool({ memoryBytes: MEMORY_BYTES, io: {}, targetFileBytes: TARGET_BYTES });

async function makeTable(folder: string, rows: number): Promise<number> {
  await using catalog = await openCatalog(folder);
  await catalog.createNamespace(TABLE.namespace);
  const columns = tripFields.map(({ name, type, required }) => ({ name, type, required }));
  await catalog.createTable(TABLE, { schema: createSchema(columns) });
  await using pool = openPool();
  const append: DataFile[] = [];
  let bytes = 0;
  for (let first = 0; first < rows; first += ROWS_PER_FILE) {
    const batch = tripBatch(first, Math.min(ROWS_PER_FILE, rows - first));
    bytes += batch.length;
    const writer = pool.openFile({ prefix: `${folder}/bench/trips/data/p/g1-${first}`, fields: tripFields });
    await writer.write({ rows: Math.min(ROWS_PER_FILE, rows - first), body: [new Uint8Array(batch)] });
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
    options: Value.Parse(MaintenanceSchema, {}),
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
