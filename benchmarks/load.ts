import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@fjord/test-harness';
import { describeMachine, type Machine } from './machine.ts';
import { openInstalled } from './installed.ts';
import { measureSync, type SyncFigures } from './measure-sync.ts';
import type { Options } from './options.ts';
import { openOrigin, type Origin } from './origin.ts';
import { openTarget, type Target } from './target.ts';

/** The JSON line of a load. Rates are rows a second; CPU is in seconds, user and system; `postgresCpuS` is the server's, not ours. */
export type LoadResult = SyncFigures & {
  name: Options['name'];
  rowsPerS: number;
  cellsPerS?: number;
  floorRowsPerS?: number;
  floor1RowsPerS?: number;
  postgresCpuS?: number;
  bytesWritten?: number;
  files?: number;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Loads one table into a new warehouse (or nowhere) with `fjord sync`, start to committed table, and checks that all rows arrived. */
export async function benchmarkLoad(options: Options): Promise<LoadResult> {
  if (options.keep) process.env['FJORD_KEEP'] = '1';
  const program = options.checkout ? {} : { installed: await openInstalled() };
  await using folder = await temporaryFolder('fjord-bench');
  await using origin = await openOrigin(options);
  await using target = await openTarget(options, folder.path);
  const file = await writePipeline(folder.path, origin, target);
  const postgresBefore = origin.postgres?.cpuS() ?? 0;
  const { environment } = origin;
  const figures = await measureSync(file, { ...options, ...program, folder: folder.path, environment });
  const postgresCpuS = (origin.postgres?.cpuS() ?? 0) - postgresBefore;
  const written = await target.findWritten?.();
  mustBeAll(origin.rows, { 'the sync copied': figures.rows, 'the files hold': written?.rows ?? origin.rows });
  if (options.keep) process.stdout.write(`kept: ${folder.path}\n`);
  return {
    name: options.name,
    rowsPerS: figures.rows / figures.wallS,
    ...figures,
    ...(origin.columns !== undefined && { cellsPerS: (figures.rows * origin.columns) / figures.wallS }),
    ...floorsOf(origin),
    ...(origin.postgres && { postgresCpuS }),
    ...(written && { bytesWritten: written.bytes, files: written.files }),
    machine: describeMachine(origin.postgres?.version),
    date: new Date().toISOString().slice(0, 10),
    options: chosenOf(options),
  };
}

function floorsOf({ postgres }: Origin) {
  if (!postgres) return {};
  const { floorRowsPerS, floor1RowsPerS } = postgres;
  return { ...(floorRowsPerS && { floorRowsPerS }), ...(floor1RowsPerS && { floor1RowsPerS }) };
}

/** What differs from a plain run: the line says it, so that two lines can be compared. */
function chosenOf(options: Options): Partial<Options> {
  const { rows, parallel, consistency, pace, memory, s3, synthetic, checkout, profile } = options;
  const chosen = { rows, parallel, consistency, pace, memory, s3, synthetic, checkout, profile };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined && value !== false));
}

/** Writes a pipeline file from origin to target into `folder`, the stream with further options if given; gives its path. */
export async function writePipeline(
  folder: string,
  { source, stream }: Origin,
  { destination }: Target,
  options: Record<string, unknown> = {},
): Promise<string> {
  const file = path.join(folder, 'pipeline.yaml');
  const streams = [{ match: stream, ...options }];
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ id: 'bench', source, destination, streams }, null, 2));
  return file;
}

function mustBeAll(rows: number, counts: Record<string, number>): void {
  for (const [where, count] of Object.entries(counts)) {
    if (count !== rows) throw new Error(`The source has ${rows} rows, but ${where} ${count}.`);
  }
}
