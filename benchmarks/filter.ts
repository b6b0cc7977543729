import { temporaryFolder } from '@fjord/test-harness';
import { openInstalled } from './installed.ts';
import { writePipeline } from './load.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measureSync } from './measure-sync.ts';
import type { Options } from './options.ts';
import { openOrigin, type Origin } from './origin.ts';
import { openTarget } from './target.ts';

/** 26 of 263 zones: about one trip in ten. */
const FILTER = { column: 'pu_location_id', between: [1, 26] };
const KEPT = 'SELECT count(*)::float8 AS kept FROM trips WHERE pu_location_id BETWEEN 1 AND 26';
const TRANSFORMS = {
  rename: { vendor_id: 'vendor' },
  transform: { note: { hash: { salt: '${env:BENCH_SALT}' } }, payment_type: { mask: { keepFirst: 1 } } },
};

/** What each load does beyond copying: nothing, filter, change columns, or both. */
const VARIANTS = {
  plain: {},
  filtered: { filter: FILTER },
  transformed: { columns: TRANSFORMS },
  both: { filter: FILTER, columns: TRANSFORMS },
};
type Variant = keyof typeof VARIANTS;

/** One load: rates over all rows of the source, whether copied or not; `kept` are those that arrived, as many as PostgreSQL counts. */
type FilterLoad = { kept: number; rowsPerS: number; wallS: number; cpuS: number; peakRssMB: number };

/** The JSON line of `filter`. */
export type FilterResult = {
  name: 'filter';
  rows: number;
  loads: Record<Variant, FilterLoad>;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Loads trips four times, with and without a filter that keeps a tenth and transforms of columns. A load that keeps another number of rows than PostgreSQL counts fails. */
export async function benchmarkFilter(options: Options): Promise<FilterResult> {
  const installed = options.checkout ? undefined : await openInstalled();
  await using origin = await openOrigin(options);
  if (!origin.postgres) throw new Error('filter needs a database');
  const [counted] = await origin.postgres.server.query<{ kept: number }>(KEPT);
  const run = (variant: Variant) => loadOnce(origin, variant, { options, installed, wanted: counted?.kept ?? 0 });
  const loads = {
    plain: await run('plain'),
    filtered: await run('filtered'),
    transformed: await run('transformed'),
    both: await run('both'),
  };
  const machine = describeMachine(origin.postgres.version);
  const date = new Date().toISOString().slice(0, 10);
  return { name: 'filter', rows: origin.rows, loads, machine, date, options: { rows: options.rows } };
}

type LoadContext = { options: Options; installed: string | undefined; wanted: number };

async function loadOnce(
  origin: Origin,
  variant: Variant,
  { options, installed, wanted }: LoadContext,
): Promise<FilterLoad> {
  await using folder = await temporaryFolder('fjord-filter');
  await using target = await openTarget(options, folder.path);
  const file = await writePipeline(folder.path, origin, target, VARIANTS[variant]);
  const environment = { ...origin.environment, BENCH_SALT: 'a salt for a benchmark' };
  const program = installed === undefined ? {} : { installed };
  const figures = await measureSync(file, { ...options, ...program, folder: folder.path, environment });
  const written = await target.findWritten?.();
  const expected = 'filter' in VARIANTS[variant] ? wanted : origin.rows;
  if (figures.rows !== expected || written?.rows !== expected) {
    throw new Error(
      `PostgreSQL counts ${expected} rows (${variant}), the sync ${figures.rows}, its files ${written?.rows ?? 0}.`,
    );
  }
  const { wallS, cpuS, peakRssMB } = figures;
  return { kept: figures.rows, rowsPerS: origin.rows / wallS, wallS, cpuS, peakRssMB };
}

/** The figures for people, a line a load. */
export function describeFilter({ rows, loads }: FilterResult): string {
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const lines = Object.entries(loads).map(([name, { kept, rowsPerS, wallS, cpuS, peakRssMB }]) => {
    const figures = `${wallS.toFixed(1)} s, ${count(rowsPerS)} rows/s read, ${count(kept)} of ${count(rows)} kept`;
    return `${name.padEnd(16)}  ${figures}, CPU ${cpuS.toFixed(1)} s, ${peakRssMB} MB RSS\n`;
  });
  return lines.join('');
}
