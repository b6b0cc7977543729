import { openFollowedCopy, versionOf } from './followed-copy.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Options } from './options.ts';
import { percentile } from './pgbench.ts';

const ROUNDS = 10;
const UPDATES = 100_000;
const SCANS = 5;

/** The JSON line of `scan-after-updates`. `scanRatio` is a full scan after all rounds by one of the table just copied, medians of five. */
export type ScanResult = {
  name: 'scan-after-updates';
  rows: number;
  scanRatio: number;
  freshScanS: number;
  laterScanS: number;
  worstRoundS: number;
  roundsS: number[];
  peakRssMB: number;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Copies trips, updates 100,000 random rows ten times, each followed by a sync, and compares DuckDB's full scans before and after. */
export async function benchmarkScanAfterUpdates(options: Options): Promise<ScanResult> {
  await using copy = await openFollowedCopy(options, options.rows);
  const { server } = copy;
  await copy.sync();
  const freshScanS = await scanSeconds((sql) => copy.ask(sql));
  const roundsS: number[] = [];
  let peakRssMB = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await server.query(updateSql(round, options.rows));
    const figures = await copy.sync();
    roundsS.push(figures.wallS);
    peakRssMB = Math.max(peakRssMB, figures.peakRssMB);
    process.stdout.write(`round ${round}: ${figures.wallS.toFixed(1)} s\n`);
  }
  await copy.mustBeEqual();
  const laterScanS = await scanSeconds((sql) => copy.ask(sql));
  return {
    name: 'scan-after-updates',
    rows: options.rows,
    scanRatio: laterScanS / freshScanS,
    freshScanS,
    laterScanS,
    worstRoundS: Math.max(...roundsS),
    roundsS,
    peakRssMB,
    machine: describeMachine(await versionOf(server)),
    date: new Date().toISOString().slice(0, 10),
    options: { rows: options.rows },
  };
}

/** The figures for people. */
export function describeScan({ scanRatio, freshScanS, laterScanS, worstRoundS, peakRssMB }: ScanResult): string {
  return [
    `scan              ${freshScanS.toFixed(2)} s of the table just copied, ${laterScanS.toFixed(2)} s after ${ROUNDS} rounds: ${scanRatio.toFixed(2)} times`,
    `rounds            ${UPDATES.toLocaleString('en-US')} updates each, the longest sync ${worstRoundS.toFixed(1)} s, ${peakRssMB} MB RSS`,
    '',
  ].join('\n');
}

/** Ids spread over the whole table by a step that has no factor in common with its size, other ones each round. */
function updateSql(round: number, rows: number): string {
  return `UPDATE trips_cdc SET tip_amount = tip_amount + ${round}, note = 'round ${round}'
    WHERE id IN (SELECT (n * 7919 + ${round} * 104729) % ${rows} + 1 FROM generate_series(1, ${UPDATES}) AS n)`;
}

/** The median time that DuckDB says a scan of every column took. */
async function scanSeconds(ask: (sql: string) => Promise<string[]>): Promise<number> {
  const seconds: number[] = [];
  for (let scan = 0; scan < SCANS; scan++) {
    const plan = (await ask('EXPLAIN ANALYZE SELECT count(*), sum(hash(COLUMNS(*))) FROM lake')).join('\n');
    const found = /Total Time: ([\d.]+)s/.exec(plan);
    if (!found) throw new Error(`DuckDB did not say how long the scan took:\n${plan}`);
    seconds.push(Number(found[1]));
  }
  return percentile(
    seconds.toSorted((a, b) => a - b),
    0.5,
  );
}
