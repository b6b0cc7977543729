import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, startTcpProxy, type TcpProxy, temporaryFolder } from '../../src/index.ts';
import { killConnectors, untilAsked } from './kill-run.ts';
import { Pipeline } from './pipeline.ts';

/** Rows change, move to other pages, go away and come: a copy of old and new chunks cannot equal the table. */
const CHANGES = `
  DELETE FROM t WHERE id % 3 = 0;
  UPDATE t SET v = v + 1 WHERE id % 2 = 0;
  INSERT INTO t SELECT g, 0, 'new' FROM generate_series(30001, 31000) g`;
const TABLE = `
  DROP TABLE IF EXISTS t;
  CREATE TABLE t (id int PRIMARY KEY, v int, pad text);
  INSERT INTO t SELECT g, 0, repeat('p', 100) FROM generate_series(1, 30000) g`;

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startTcpProxy(postgres);
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

async function change(changes: string[]): Promise<void> {
  for (const statement of changes) await postgres.query(statement);
}

type Modes = { writeMode: 'append' | 'overwrite'; consistency: 'snapshot' | 'chunk' };
const pipelineOf = (folder: string, { writeMode, consistency }: Modes) =>
  new Pipeline(folder, postgres, {
    writeMode,
    source: { port: proxy.port, consistency, chunkMB: 0.1 },
    destination: { commitIntervalSeconds: 0 },
  });

async function expectEqual(pipeline: Pipeline): Promise<void> {
  expect((await pipeline.read('duckdb', 't')).rows).toEqual((await pipeline.expected('SELECT * FROM t')).rows);
}

test.each([
  ['rows that change, move and go', 'append', 'snapshot', [CHANGES]],
  ['rows that change, move and go', 'overwrite', 'snapshot', [CHANGES]],
  ['VACUUM FULL', 'append', 'snapshot', [CHANGES, 'VACUUM FULL t']],
  ['VACUUM FULL', 'append', 'chunk', [CHANGES, 'VACUUM FULL t']],
  ['VACUUM FULL', 'overwrite', 'chunk', [CHANGES, 'VACUUM FULL t']],
] as const)(
  'rule 3: %s between kill and resume leave the table right: %s, %s',
  async (_, writeMode, consistency, changes) => {
    await postgres.query(TABLE);
    await using folder = await temporaryFolder('fjord-rewritten');
    const pipeline = pipelineOf(folder.path, { writeMode, consistency });
    const sync = pipeline.start();
    sync.stderr.resume();
    sync.stdout.resume();
    const ended = once(sync, 'close');
    await untilAsked(proxy, 12);
    killConnectors(sync.pid ?? 0, 'source');
    await ended;
    expect(sync.exitCode).toBe(3);
    await change([...changes]);
    const resumed = await pipeline.sync();
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    await expectEqual(pipeline);
  },
);

test.each([
  ['append', 'snapshot'],
  ['append', 'chunk'],
  ['overwrite', 'chunk'],
] as const)(
  'rule 3: VACUUM FULL in mid-load of a table whose rows move leaves the table right: %s, %s',
  async (writeMode, consistency) => {
    await postgres.query(TABLE);
    await using folder = await temporaryFolder('fjord-rewritten');
    const pipeline = pipelineOf(folder.path, { writeMode, consistency });
    const running = pipeline.sync();
    await untilAsked(proxy, 12);
    // What is under way is held back until the table is another one.
    proxy.stall();
    const changed = change([CHANGES, 'VACUUM FULL t']);
    await untilWaiting(changed);
    proxy.resume();
    await changed;
    const result = await running;
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stderr).toContain('stream starts over');
    await expectEqual(pipeline);
  },
);

/** Resolves when VACUUM FULL has asked for its lock, which the chunks under way may hold back, or `work` is done. */
async function untilWaiting(work: Promise<void>): Promise<void> {
  let isDone = false;
  const noteEnd = () => {
    isDone = true;
  };
  work.then(noteEnd, noteEnd);
  const waiting = "SELECT FROM pg_stat_activity WHERE query = 'VACUUM FULL t' AND wait_event_type = 'Lock'";
  while (!isDone && (await postgres.query(waiting)).length === 0);
}
