import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { planFiles } from '@fjord/iceberg';
import { type PostgresServer, startPostgres, temporaryFolder } from '@fjord/test-harness';
import { versionOf } from './followed-copy.ts';
import { loadFollowed, newestMs, startFollowing } from './followed-origin.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Options } from './options.ts';
import { pssOfTreeMB } from './process-tree.ts';

const ROWS = 100_000;
const TRANSACTIONS_PER_S = 20;
/** Of the changes: the others update; as many rows come as go, so that the table itself does not grow. */
const INSERTED_SHARE = 0.1;
const SAMPLE_MS = 5_000;

/** What is looked at: `lagS` is how old the newest change is that a reader sees, `metadataKB` the size of the table's metadata file. */
const METRICS = ['pssMB', 'lagS', 'dataFiles', 'deleteFiles', 'filesOnDisk', 'snapshots', 'metadataKB'] as const;
type Sample = Record<(typeof METRICS)[number], number>;
/** Means of the first and the last quarter of the time, and the highest value of all. */
type Growth = { first: number; last: number; highest: number; grownRatio: number };

/** The JSON line of `soak`: what following for a long time does to each metric. */
export type SoakResult = { name: 'soak'; metrics: Record<keyof Sample, Growth> } & {
  changesPerS: number;
  changes: number;
  samples: number;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/** Changes rows at a steady rate while `fjord sync --follow` runs, and samples what may grow. */
export async function benchmarkSoak(options: Options): Promise<SoakResult> {
  const { rows: changesPerS, minutes = 60 } = options;
  await using folder = await temporaryFolder('fjord-soak');
  await using server = await startPostgres();
  await server.query(
    `CREATE TABLE soaked (id bigint PRIMARY KEY, changed_at timestamptz NOT NULL, note text);
     INSERT INTO soaked SELECT n, clock_timestamp(), md5(n::text) FROM generate_series(0, ${ROWS - 1}) AS n`,
  );
  const followed = { folder: folder.path, server, stream: 'public.soaked' };
  const { child, warehouse, log, stop, end } = await startFollowing(options, followed);
  const writing = write(server, changesPerS / TRANSACTIONS_PER_S, stop.signal);
  try {
    const samples = await sample({ pid: child.pid ?? 0, warehouse, minutes, signal: stop.signal });
    if (stop.signal.aborted || samples.length < 4) throw new Error(`fjord sync --follow did not go on:\n${log()}`);
    stop.abort();
    return {
      name: 'soak',
      metrics: growthOf(samples),
      changesPerS,
      changes: await writing,
      samples: samples.length,
      machine: describeMachine(await versionOf(server)),
      date: new Date().toISOString().slice(0, 10),
      options: { rows: changesPerS, minutes },
    };
  } finally {
    stop.abort();
    await writing;
    await end();
  }
}

/** The figures for people. */
export function describeSoak({ metrics, changes, samples }: SoakResult): string {
  const lines = METRICS.map((name) => {
    const { first, last, highest } = metrics[name];
    return `${name.padEnd(16)}  ${first.toFixed(1)} in the first quarter, ${last.toFixed(1)} in the last, ${highest.toFixed(1)} at most\n`;
  });
  return `soak              ${changes.toLocaleString('en-US')} changes, ${samples} samples\n${lines.join('')}`;
}

/** Writes at an even pace: updates of random rows, new rows at the end, the oldest gone. Gives the number of changes. */
async function write(server: PostgresServer, changesEach: number, signal: AbortSignal): Promise<number> {
  const client = await server.client();
  const moved = Math.round(changesEach * INSERTED_SHARE);
  let [first, changes] = [0, 0];
  for (let due = performance.now(); !signal.aborted; due += 1000 / TRANSACTIONS_PER_S) {
    await delay(Math.max(0, due - performance.now()));
    await client.query(
      `WITH gone AS (DELETE FROM soaked WHERE id >= $1::bigint AND id < $1::bigint + $3::bigint),
         added AS (INSERT INTO soaked SELECT $1::bigint + $2::bigint + n, clock_timestamp(), md5(n::text) FROM generate_series(0, $3::bigint - 1) AS n)
       UPDATE soaked SET changed_at = clock_timestamp(), note = md5(random()::text)
       WHERE id IN (SELECT $1::bigint + $3::bigint + (random() * ($2::bigint - $3::bigint - 1))::bigint FROM generate_series(1, $4::bigint))`,
      [first, ROWS, moved, changesEach - 2 * moved],
    );
    first += moved;
    changes += changesEach;
  }
  await client.end();
  return changes;
}

type Watched = { pid: number; warehouse: string; minutes: number; signal: AbortSignal };

async function sample({ pid, warehouse, minutes, signal }: Watched): Promise<Sample[]> {
  const samples: Sample[] = [];
  let untilMs: number | undefined;
  while (!signal.aborted && (untilMs === undefined || Date.now() < untilMs)) {
    await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
    const found = await sampleTable(warehouse);
    if (!found) continue;
    // The time counts from the first copy on.
    untilMs ??= Date.now() + minutes * 60_000;
    samples.push({ pssMB: pssOfTreeMB(pid), ...found });
  }
  return samples;
}

async function sampleTable(warehouse: string): Promise<Omit<Sample, 'pssMB'> | undefined> {
  const table = await loadFollowed(warehouse, 'soaked').catch(() => undefined);
  const newest = table && (await newestMs(table, 'changed_at'));
  if (!table || newest === undefined) return undefined;
  const files = await Array.fromAsync(planFiles(table));
  const deletes = new Set(files.flatMap((file) => file.deletes.map(({ filePath }) => filePath)));
  const { size } = await stat(new URL(table.metadataLocation));
  const onDisk = await readdir(path.join(warehouse), { recursive: true });
  return {
    lagS: (Date.now() - newest) / 1000,
    dataFiles: files.length,
    deleteFiles: deletes.size,
    filesOnDisk: onDisk.length,
    snapshots: table.metadata.snapshots.length,
    metadataKB: size / 1024,
  };
}

function growthOf(samples: Sample[]): SoakResult['metrics'] {
  const quarter = Math.floor(samples.length / 4);
  const grown = (name: keyof Sample): Growth => {
    const values = samples.map((each) => each[name]);
    const [first, last] = [mean(values.slice(0, quarter)), mean(values.slice(-quarter))];
    return { first, last, highest: Math.max(...values), grownRatio: last / first };
  };
  return Object.fromEntries(METRICS.map((name) => [name, grown(name)])) as SoakResult['metrics'];
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
