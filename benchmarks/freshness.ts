import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresServer, startPostgres, temporaryFolder } from '@fjord/test-harness';
import { versionOf } from './followed-copy.ts';
import { loadFollowed, newestMs, startFollowing } from './followed-origin.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Options } from './options.ts';
import { percentile } from './pgbench.ts';

const TRANSACTIONS_PER_S = 50;
const COMMIT_INTERVAL_S = 5;
const POLL_MS = 50;
/** Commits of the first seconds, while everything starts, do not count. */
const WARM_UP_S = 15;
/** Of each snapshot's changes, which come evenly, so many count. */
const SAMPLES = 100;

/**
 * The JSON line of `freshness`: from a change's commit in the database to the snapshot that shows it, in seconds. `detectionP99Ms` is from the
 * commit to the source's process, which tells the slowest of each five seconds: so it is no less than that of 99 of 100 transactions.
 */
export type FreshnessResult = {
  name: 'freshness';
  p50S: number;
  p99S: number;
  detectionP99Ms: number;
  snapshots: number;
  changesPerS: number;
  commitIntervalS: number;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Changes rows at a steady rate while `fjord sync --follow` runs, and looks when each becomes readable. */
export async function benchmarkFreshness(options: Options): Promise<FreshnessResult> {
  const { rows: changesPerS, seconds = 60 } = options;
  await using folder = await temporaryFolder('fjord-freshness');
  await using server = await startPostgres();
  await server.query('CREATE TABLE ticks (id bigint PRIMARY KEY, ticked_at timestamptz NOT NULL, note text)');
  const followed = {
    folder: folder.path,
    server,
    stream: 'public.ticks',
    destination: { commitIntervalSeconds: COMMIT_INTERVAL_S },
  };
  const { child, warehouse, log, stop, end } = await startFollowing(options, followed);
  const arrivals = readArrivals(child.stderr);
  const ticking = tick(server, changesPerS / TRANSACTIONS_PER_S, stop.signal);
  try {
    const ages = await watch(warehouse, { untilMs: Date.now() + (WARM_UP_S + seconds) * 1000 });
    if (stop.signal.aborted || ages.values.length === 0)
      throw new Error(`fjord sync --follow showed nothing:\n${log()}`);
    const sorted = ages.values.toSorted((a, b) => a - b);
    const slowest = arrivals.map((seconds) => seconds * 1000).toSorted((a, b) => a - b);
    return {
      name: 'freshness',
      p50S: percentile(sorted, 0.5),
      p99S: percentile(sorted, 0.99),
      detectionP99Ms: percentile(slowest, 0.99),
      snapshots: ages.snapshots,
      changesPerS,
      commitIntervalS: COMMIT_INTERVAL_S,
      machine: describeMachine(await versionOf(server)),
      date: new Date().toISOString().slice(0, 10),
      options: { rows: changesPerS, seconds },
    };
  } finally {
    stop.abort();
    await ticking;
    await end();
  }
}

/** The figures for people. */
export function describeFreshness(result: FreshnessResult): string {
  const { p50S, p99S, detectionP99Ms, snapshots, changesPerS } = result;
  return [
    `freshness         ${p50S.toFixed(1)} s for half of the changes, ${p99S.toFixed(1)} s for 99 of 100, at ${changesPerS.toLocaleString('en-US')} changes/s, ${snapshots} snapshots`,
    `detection         ${detectionP99Ms.toFixed(0)} ms from a commit to the source, for 99 of 100 at most`,
    '',
  ].join('\n');
}

/** What the source says of how long transactions took to come, after the warm-up. */
function readArrivals(stderr: Readable): number[] {
  const arrivals: number[] = [];
  const warmMs = Date.now() + WARM_UP_S * 1000;
  createInterface(stderr).on('line', (line) => {
    const found = /"arrivalSeconds":([\d.e-]+)/.exec(line);
    if (found && Date.now() > warmMs) arrivals.push(Number(found[1]));
  });
  return arrivals;
}

/** Inserts rows, a transaction at a time, at an even pace; one row in ten of the transaction before is updated. */
async function tick(server: PostgresServer, rowsEach: number, signal: AbortSignal): Promise<void> {
  const client = await server.client();
  const inserts = Math.round(rowsEach * 0.9);
  let id = 0;
  for (let due = performance.now(); !signal.aborted; due += 1000 / TRANSACTIONS_PER_S) {
    await delay(Math.max(0, due - performance.now()));
    await client.query(
      `WITH added AS (INSERT INTO ticks SELECT n, clock_timestamp(), md5(n::text) FROM generate_series($1::bigint, $2::bigint) AS n)
       UPDATE ticks SET ticked_at = clock_timestamp() WHERE id > $1::bigint - $3::bigint AND id < $1::bigint`,
      [id, id + inserts - 1, rowsEach - inserts + 1],
    );
    id += inserts;
  }
  await client.end();
}

/** The ages, in seconds, of changes at the moment when a snapshot first shows them. Changes come evenly: those of a snapshot lie evenly between the newest of the one before and its own newest. */
async function watch(
  warehouse: string,
  { untilMs }: { untilMs: number },
): Promise<{ values: number[]; snapshots: number }> {
  const values: number[] = [];
  const warmMs = Date.now() + WARM_UP_S * 1000;
  let snapshots = 0;
  let seen: bigint | undefined;
  let before: number | undefined;
  while (Date.now() < untilMs) {
    await delay(POLL_MS);
    const table = await loadFollowed(warehouse, 'ticks');
    const snapshot = table?.metadata.refs['main']?.['snapshot-id'];
    if (!table || snapshot === undefined || snapshot === seen) continue;
    const shownMs = Date.now();
    seen = snapshot;
    const newest = await newestMs(table, 'ticked_at');
    if (newest === undefined) continue;
    if (before !== undefined && newest > before && shownMs > warmMs) {
      snapshots += 1;
      for (let sample = 1; sample <= SAMPLES; sample++)
        values.push((shownMs - (before + ((newest - before) * sample) / SAMPLES)) / 1000);
    }
    before = newest;
  }
  return { values, snapshots };
}
