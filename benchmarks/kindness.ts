import { once } from 'node:events';
import path from 'node:path';
import { type PostgresServer, temporaryFolder } from '@fjord/test-harness';
import { openInstalled } from './installed.ts';
import { writePipeline } from './load.ts';
import { describeMachine, type Machine } from './machine.ts';
import { startSync } from './measure-sync.ts';
import type { Options } from './options.ts';
import { openOrigin } from './origin.ts';
import { percentile, Pgbench, type PgbenchRun } from './pgbench.ts';
import { openTarget } from './target.ts';

const RUNS = 3;
const MAXIMUM_SECONDS = 10;
/** The share of pgbench's maximum at which it runs. */
const RATE_SHARE = 0.3;
const SAMPLE_MS = 250;

/** The JSON line of `kindness`. `p99Ratio` is the median of the runs beside a load by that of the runs alone. */
export type KindnessResult = {
  name: 'kindness';
  p99Ratio: number;
  p99AloneMs: number;
  p99BesideMs: number;
  p50AloneMs: number;
  p50BesideMs: number;
  longestStatementS: number;
  rowsRead: number;
  rowsReadPerS: number;
  tps: number;
  maximumTps: number;
  locks: string[];
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Runs pgbench at a steady rate alone, then beside syncs of trips that follow each other, and compares the latencies. */
export async function benchmarkKindness(options: Options): Promise<KindnessResult> {
  const { seconds = 60 } = options;
  const installed = options.checkout ? undefined : await openInstalled();
  await using folder = await temporaryFolder('fjord-kindness');
  await using origin = await openOrigin(options);
  if (!origin.postgres) throw new Error('kindness needs a database');
  const { server, version } = origin.postgres;
  const pgbench = new Pgbench(server);
  await pgbench.prepare();
  const maximumTps = await pgbench.maximum(MAXIMUM_SECONDS);
  const measure = (title: string) =>
    pgbench.atRate(maximumTps * RATE_SHARE, seconds, path.join(folder.path, title.replaceAll(' ', '-')));
  const runOne = async (run: (child: Child) => void) => {
    await using place = await temporaryFolder('fjord-kindness');
    await using target = await openTarget(options, place.path);
    const file = await writePipeline(place.path, origin, target);
    const { environment } = origin;
    const child = startSync(file, { folder: folder.path, environment, ...(installed !== undefined && { installed }) });
    run(child);
    await once(child, 'close');
  };
  const runs = { alone: [] as PgbenchRun[], beside: [] as PgbenchRun[] };
  const watch = watchStatements(server);
  let [rows, loadSeconds] = [0, 0];
  // In turn: what changes with time (dead rows, the machine's mood) does so for both.
  for (let run = 1; run <= RUNS; run++) {
    process.stdout.write(`run ${run} of ${RUNS}: ${seconds} s alone, ${seconds} s beside a load ...\n`);
    runs.alone.push(await measure(`alone ${run}`));
    const syncs = repeatSyncs(runOne);
    await syncs.isReading;
    runs.beside.push(await measure(`beside ${run}`));
    const load = await syncs.stop();
    rows += load.rows;
    loadSeconds += load.seconds;
  }
  const { longestStatementS, locks } = await watch.stop();
  const [alone, beside] = [mediansOf(runs.alone), mediansOf(runs.beside)];
  return {
    name: 'kindness',
    p99Ratio: beside.p99Ms / alone.p99Ms,
    p99AloneMs: alone.p99Ms,
    p99BesideMs: beside.p99Ms,
    p50AloneMs: alone.p50Ms,
    p50BesideMs: beside.p50Ms,
    longestStatementS,
    rowsRead: rows,
    rowsReadPerS: rows / loadSeconds,
    tps: beside.tps,
    maximumTps,
    locks,
    machine: describeMachine(version),
    date: new Date().toISOString().slice(0, 10),
    options: { rows: options.rows, seconds, ...(options.pace && { pace: options.pace }) },
  };
}

/** The figures for people, a few lines. */
export function describeKindness(result: KindnessResult): string {
  const { p99Ratio, p99AloneMs, p99BesideMs, longestStatementS, rowsReadPerS, tps, maximumTps, locks } = result;
  return [
    `pgbench           ${tps.toFixed(0)} transactions/s, ${((100 * tps) / maximumTps).toFixed(0)} % of its maximum`,
    `p99               ${p99AloneMs.toFixed(2)} ms alone, ${p99BesideMs.toFixed(2)} ms beside the load: ${p99Ratio.toFixed(2)} times`,
    `load              ${Math.round(rowsReadPerS).toLocaleString('en-US')} rows/s, no statement above ${longestStatementS.toFixed(2)} s, locks: ${locks.join(', ')}`,
    '',
  ].join('\n');
}

function mediansOf(runs: readonly PgbenchRun[]) {
  const median = (values: number[]) =>
    percentile(
      values.toSorted((a, b) => a - b),
      0.5,
    );
  return {
    p99Ms: median(runs.map(({ latenciesMs }) => percentile(latenciesMs, 0.99))),
    p50Ms: median(runs.map(({ latenciesMs }) => percentile(latenciesMs, 0.5))),
    tps: median(runs.map(({ tps }) => tps)),
  };
}

type Child = ReturnType<typeof startSync>;

/** Starts one sync after the other until stopped; counts the rows that their sources say they have read. */
function repeatSyncs(runOne: (started: (child: Child) => void) => Promise<void>) {
  const startedAt = performance.now();
  const { promise: isReading, resolve: reads, reject: failed } = Promise.withResolvers<void>();
  let isStopped = false;
  let current: Child | undefined;
  let rows = 0;
  const loop = (async () => {
    while (!isStopped) {
      let own = 0;
      await runOne((child) => {
        current = child;
        child.stdout.resume();
        child.stderr.on('data', (data: Buffer) => {
          for (const [, found] of data.toString().matchAll(/"type":"PROGRESS".*?"rows":(\d+)/g))
            own = Math.max(own, Number(found));
          if (own > 0) reads();
        });
      });
      rows += own;
      if (own === 0) failed(new Error('The load beside pgbench has read nothing: its figures say nothing.'));
      if (own === 0) isStopped = true;
    }
  })();
  return {
    isReading,
    stop: async () => {
      isStopped = true;
      current?.kill('SIGTERM');
      const seconds = (performance.now() - startedAt) / 1000;
      await loop;
      return { rows, seconds };
    },
  };
}

/** Looks at what Fjord's sessions do until stopped: their longest statement, and the locks on relations that they hold. */
function watchStatements(server: PostgresServer) {
  let isStopped = false;
  let longestStatementS = 0;
  const locks = new Set<string>();
  const loop = (async () => {
    const client = await server.client();
    while (!isStopped) {
      const { rows } = await client.query<{ seconds: number | null; modes: string[] | null }>(`
        SELECT (SELECT max(extract(epoch FROM clock_timestamp() - query_start))::float8 FROM pg_stat_activity
                WHERE application_name = 'fjord' AND state = 'active') AS seconds,
               (SELECT array_agg(DISTINCT l.mode) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
                WHERE a.application_name = 'fjord' AND l.locktype = 'relation') AS modes`);
      longestStatementS = Math.max(longestStatementS, rows[0]?.seconds ?? 0);
      for (const mode of rows[0]?.modes ?? []) locks.add(mode);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
    await client.end();
  })();
  return {
    stop: async () => {
      isStopped = true;
      await loop;
      return { longestStatementS, locks: [...locks] };
    },
  };
}
