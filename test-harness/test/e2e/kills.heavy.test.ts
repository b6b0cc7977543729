import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  sortRows,
  startPostgres,
  startTcpProxy,
  type TcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { watchChunks } from './kill-run.ts';
import { KilledRuns } from './killed-runs.ts';
import { Pipeline } from './pipeline.ts';
import { PAD, ReplayedTable } from './replayed-table.ts';

/** 4 combinations with 5 kills each, spread evenly between the first commit and the last. */
const KILLS = 5;
const TABLES = 6;
const ROWS = 25_000;
/** The server seems far away: a run takes long without much work for this machine. */
const DELAY_MS = 12;
const CHUNK_MB = 0.25;
const MIN_RUN_SECONDS = 20;

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  postgres = await startPostgres({ settings: { max_connections: '50' } });
  proxy = await startTcpProxy(postgres);
  proxy.delayMs = DELAY_MS;
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

test.each([
  ['append', 'snapshot'],
  ['append', 'chunk'],
  ['overwrite', 'snapshot'],
  ['overwrite', 'chunk'],
] as const)('%s in %s consistency survives kills of source, destination and both', async (writeMode, consistency) => {
  const names = Array.from({ length: TABLES }, (_, index) => `${writeMode}_${consistency}_${index}`);
  const tables = names.map((name) => new ReplayedTable(name, ROWS));
  for (const table of tables) await table.create(postgres);
  // Chunks of other moments are right in whole only where no row moves from one to another: half of the tables stand still there.
  const written = consistency === 'snapshot' ? tables : tables.slice(TABLES / 2);
  await using writer = startWriter(written);
  await using folder = await temporaryFolder('fjord-kills');
  const pipeline = new Pipeline(folder.path, postgres, {
    writeMode,
    match: [`public.${writeMode}_${consistency}_*`],
    source: { port: proxy.port, consistency, chunkMB: CHUNK_MB, parallel: 2 },
    destination: { commitIntervalSeconds: 0 },
  });
  const runs = new KilledRuns(pipeline, {
    tables: names,
    kills: KILLS,
    chunksPerTable: await countChunks(names[0] ?? ''),
  });
  watchChunks(proxy, (chunk) => runs.take(chunk));
  await runs.killAll();
  // eslint-disable-next-line no-console -- rule 19: the step that was hit is part of the result
  console.info(
    [`${writeMode}, ${consistency}: ${runs.seconds.toFixed(0)} s, ${runs.counts}`, ...runs.hits].join('\n  '),
  );
  expect(runs.seconds, 'too short a run to spread kills over').toBeGreaterThan(MIN_RUN_SECONDS);
  runs.checkNothingReadTwice();
  await writer.stop();
  for (const table of tables) {
    const { rows } = await pipeline.read('duckdb', table.name);
    if (consistency === 'chunk' && written.includes(table)) {
      checkWrittenInChunks(table, rows);
      continue;
    }
    const { transactions, expected } = table.stateOf(rows);
    expect(rows, `${table.name} after ${transactions} transactions`).toEqual(
      sortRows(Array.from(expected, ([id, [v, pad]]) => [String(id), String(v), pad])),
    );
    if (written.includes(table)) expect(transactions).toBeGreaterThan(0);
  }
});

/** Rows that stood still are there exactly once; those that moved perhaps not or twice, but in no form that they never had. */
function checkWrittenInChunks(table: ReplayedTable, rows: readonly unknown[][]): void {
  const written = table.written();
  const [moved, still] = [true, false].map((isMoved) => rows.filter(([id]) => written.has(Number(id)) === isMoved));
  expect(still, `${table.name}: rows that stood still`).toEqual(sortRows(table.still()));
  const wrong = (moved ?? []).filter(([id, v, pad]) => {
    const highest = written.get(Number(id)) ?? 0;
    return !(Number(v) >= 0 && Number(v) <= highest) || pad !== PAD;
  });
  expect(wrong, `${table.name}: rows that never were`).toEqual([]);
  expect(written.size, `${table.name} was not written to`).toBeGreaterThan(1);
}

async function countChunks(table: string): Promise<number> {
  const [size] = await postgres.query<{ bytes: string }>('SELECT pg_relation_size($1::text::regclass) AS bytes', [
    table,
  ]);
  return Math.ceil(Number(size?.bytes) / (CHUNK_MB * 1024 * 1024));
}

/** Writes to the tables in turn, as fast as the server answers through the slow line, until it is stopped. */
function startWriter(tables: ReplayedTable[]) {
  let isStopped = false;
  const ended = (async () => {
    const { user, password, database } = postgres;
    const client = new Client({ host: proxy.host, port: proxy.port, user, password, database });
    await client.connect();
    while (!isStopped) for (const table of tables) await client.query(table.next());
    await client.end();
  })();
  const stop = async () => {
    isStopped = true;
    await ended;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
