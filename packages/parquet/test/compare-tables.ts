import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import fc from 'fast-check';
import { readParquet } from 'parquet-wasm/node';
import type { BoundValue, FileMetadata } from '../src/index.ts';
import { anyOptions, cutStream, withColumns } from './any-options.ts';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

/** How many files, columns, bounds and queries were compared, and what differs. */
export type TablesReport = { compared: Record<string, number>; problems: string[] };

/** How many random tables, and files of each with random options; `types` is `spark` for those that plain Spark reads, else all are taken. */
export type TablesPlan = { seed: number; tables: number; filesEach: number; types?: 'spark' | 'all' };

/** Writes random tables with random options; PyArrow, DuckDB and parquet-wasm read them back, values and statistics. */
export async function compareTables(plan: TablesPlan): Promise<TablesReport> {
  await using folder = await temporaryFolder('parquet');
  await makeFiles(folder.path, plan);
  const { stdout } = await runPython(path.join(PYTHON_FOLDER, 'check_tables.py'), [folder.path]);
  return JSON.parse(stdout) as TablesReport;
}

/** Fills a folder with N.arrows, and for each some N.M.parquet, N.M.json (our statistics), N.M.wasm (a stream of what parquet-wasm reads). */
export async function makeFiles(folder: string, plan: TablesPlan): Promise<void> {
  const { seed, tables, filesEach, types = 'all' } = plan;
  await runPython(path.join(PYTHON_FOLDER, 'make_tables.py'), [folder, String(seed), String(tables), types]);
  const sources = readdirSync(folder);
  const samples = fc.sample(anyOptions, { seed, numRuns: sources.length * filesEach });
  for (const [index, sample] of samples.entries()) {
    const source = path.join(folder, sources[index % sources.length] ?? '');
    const stream = readFileSync(source);
    const columns = (await encode([stream])).metadata.columns.map(({ path: names }) => names.join('.'));
    const options = withColumns(sample, columns);
    const { file, metadata } = await encode([cutStream(stream, sample.cuts)], options);
    const target = source.replace(/arrows$/, String(index));
    writeFileSync(`${target}.parquet`, file);
    writeFileSync(`${target}.json`, JSON.stringify({ options, ...statisticsOf(metadata) }));
    writeFileSync(`${target}.wasm`, readParquet(file).intoIPCStream());
  }
}

function statisticsOf({ rowCount, byteLength, columns }: FileMetadata) {
  const asText = (bound: BoundValue | undefined) =>
    bound === undefined ? null : bound instanceof Uint8Array ? Buffer.from(bound).toString('hex') : textOf(bound);
  return {
    rowCount,
    byteLength,
    columns: columns.map(({ lower, upper, ...counts }) => ({ ...counts, lower: asText(lower), upper: asText(upper) })),
  };
}

/** JSON has neither infinities nor -0. */
function textOf(bound: boolean | number | bigint): string {
  return Object.is(bound, -0) ? '-0' : String(bound);
}
