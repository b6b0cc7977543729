import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  sortRows,
  startPostgres,
  startTcpProxy,
  type TcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline, type SyncResult } from './pipeline.ts';

const TABLES = 4;
const ROWS = 15_000;
const MAX_SYNCS = 12;
/** A load sends about 14 MB. */
const MB = 1 << 20;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
  for (let table = 0; table < TABLES; table++) {
    await postgres.query(`CREATE TABLE n${table} (id int PRIMARY KEY, v numeric(10, 2), pad text)`);
    await postgres.query(
      `INSERT INTO n${table} SELECT g, g / 7.0, repeat('p', 200) FROM generate_series(1, ${ROWS}) g`,
    );
  }
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

type Consistency = 'snapshot' | 'chunk';

function pipelineVia(
  { port }: TcpProxy,
  folder: string,
  options: { consistency: Consistency } & Record<string, unknown>,
) {
  const source = { port, chunkMB: 0.5, parallel: 2, ...options };
  return new Pipeline(folder, postgres, { source, destination: { commitIntervalSeconds: 0 } });
}

/** Syncs again until all is there, and compares: nothing lost, nothing twice. Each failed sync has told a retryable reason. */
async function expectAllInTheEnd(pipeline: Pipeline, first: SyncResult): Promise<number> {
  let syncs = 1;
  for (let result = first; result.exitCode !== 0; syncs++) {
    expect(syncs, result.stderr).toBeLessThan(MAX_SYNCS);
    expectClearFailure(result);
    result = await pipeline.sync();
  }
  for (let table = 0; table < TABLES; table++) {
    const expected = await pipeline.expected(`SELECT id, v, pad FROM n${table}`);
    const actual = await pipeline.read('duckdb', `n${table}`);
    expect(actual.rows.length, `n${table}`).toBe(ROWS);
    expect(actual.rows, `n${table}`).toEqual(sortRows(expected.rows));
  }
  return syncs;
}

function expectClearFailure({ exitCode, stderr, lines }: SyncResult): void {
  expect([3, 5], stderr).toContain(exitCode);
  const errors = lines.filter(({ type }) => type === 'ERROR');
  expect(errors.length, stderr).toBeGreaterThan(0);
  const known = /^(source_|snapshot_lost|streams_failed|run_broken)/;
  for (const { code } of errors) expect(code, stderr).toMatch(known);
  expect(stderr).not.toContain(postgres.password);
}

async function untilReceived(proxy: TcpProxy, bytes: number, isOver: () => boolean): Promise<void> {
  while (proxy.received < bytes && !isOver()) await delay(10);
}

test.each<Consistency>(['chunk', 'snapshot'])(
  'in %s consistency connections cut at random lose and double nothing',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-cuts');
    await using proxy = await startTcpProxy(postgres);
    const pipeline = pipelineVia(proxy, folder.path, { consistency });
    proxy.cutAfterBytes = () => randomInt(MB / 4, 2 * MB);
    const syncs = await expectAllInTheEnd(pipeline, await pipeline.sync());
    expect(proxy.cuts, `${syncs} syncs`).toBeGreaterThan(5);
  },
);

test.each<Consistency>(['chunk', 'snapshot'])(
  'in %s consistency all connections cut at once lose and double nothing',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-cut');
    await using proxy = await startTcpProxy(postgres);
    const pipeline = pipelineVia(proxy, folder.path, { consistency });
    let isOver = false;
    const first = pipeline.sync().finally(() => (isOver = true));
    await untilReceived(proxy, 3 * MB, () => isOver);
    expect(isOver).toBe(false);
    proxy.cut();
    const syncs = await expectAllInTheEnd(pipeline, await first);
    // Short transactions go on by themselves; a snapshot is gone with the connection that held it.
    expect(syncs).toBe(consistency === 'chunk' ? 1 : 2);
  },
);

test.each<Consistency>(['chunk', 'snapshot'])(
  'in %s consistency connections that stay open and pass nothing on are given up, and others read the rest',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-stall');
    await using proxy = await startTcpProxy(postgres);
    const pipeline = pipelineVia(proxy, folder.path, { consistency, maxStatementSeconds: 1 });
    const sync = pipeline.start();
    sync.stdout.resume();
    let log = '';
    sync.stderr.on('data', (data: Buffer) => {
      log += data.toString();
      if (log.includes('"reading a chunk failed"')) proxy.resume();
    });
    const ended = once(sync, 'close');
    await untilReceived(proxy, 3 * MB, () => sync.exitCode !== null);
    expect(sync.exitCode, log).toBe(null);
    proxy.stall();
    await ended;
    expect(log).toMatch(/"reading a chunk failed"[^\n]*the server said nothing for 11 seconds/);
    expect(sync.exitCode, log).toBe(0);
    await expectAllInTheEnd(pipeline, await pipeline.sync());
  },
);

test.each<Consistency>(['chunk', 'snapshot'])(
  'in %s consistency a server killed and started again loses and doubles nothing',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-restart');
    await using proxy = await startTcpProxy(postgres);
    const pipeline = pipelineVia(proxy, folder.path, { consistency });
    let isOver = false;
    const first = pipeline.sync().finally(() => (isOver = true));
    await untilReceived(proxy, 3 * MB, () => isOver);
    expect(isOver).toBe(false);
    await postgres.kill();
    await postgres.start();
    await expectAllInTheEnd(pipeline, await first);
  },
);
