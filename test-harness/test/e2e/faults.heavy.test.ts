import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, startTcpProxy, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const TABLES = ['f1', 'f2', 'f3'];
const ROWS = 200_000;
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
  for (const table of TABLES) {
    await postgres.query(`CREATE TABLE ${table} (id int PRIMARY KEY, v numeric(10,2), pad text)`);
    await postgres.query(`INSERT INTO ${table} SELECT g, g / 7.0, repeat('p', 100) FROM generate_series(1, ${ROWS}) g`);
  }
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

async function expectEqual(pipeline: Pipeline, tables = TABLES): Promise<void> {
  for (const table of tables) {
    const expected = await pipeline.expected(`SELECT id, v, pad FROM ${table}`);
    const { rows } = await pipeline.read('duckdb', table);
    expect(rows.length, table).toBe(expected.rows.length);
    expect(rows, table).toEqual(sortRows(expected.rows));
  }
}

const match = TABLES.map((table) => `public.${table}`);

test.each(['chunk', 'keys', 'snapshot'] as const)(
  'in %s consistency connections cut at random lose nothing and double nothing',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-cuts');
    await using proxy = await startTcpProxy({ host: postgres.host, port: postgres.port });
    let seed = 7;
    // Some connections live long, some only for some batches.
    proxy.cutAfterBytes = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return 20_000 + (seed % 16_000_000);
    };
    const source = { host: proxy.host, port: proxy.port, consistency, chunkMB: 1, parallel: 2 };
    const pipeline = new Pipeline(folder.path, postgres, { match, source, destination: { commitIntervalSeconds: 0 } });
    let runs = 0;
    let result = await pipeline.sync();
    for (; result.exitCode !== 0 && runs < 20; runs++) {
      expect([3, 5], result.stderr).toContain(result.exitCode);
      result = await pipeline.sync();
    }
    expect(result.exitCode, result.stderr).toBe(0);
    expect(proxy.cuts).toBeGreaterThan(3);
    await expectEqual(pipeline);
  },
);

test.each(['chunk', 'keys', 'snapshot'] as const)(
  'in %s consistency PostgreSQL may be killed and started again while it is read',
  async (consistency) => {
    await using folder = await temporaryFolder('fjord-restart');
    const source = { consistency, chunkMB: 1 };
    const pipeline = new Pipeline(folder.path, postgres, { match, source, destination: { commitIntervalSeconds: 0 } });
    const sync = pipeline.start();
    let output = '';
    let restarted: Promise<void> | undefined;
    const restart = async () => {
      await postgres.kill();
      await postgres.start();
    };
    sync.stderr.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('"type":"PROGRESS","stream":"public.f2"')) restarted ??= restart();
    });
    sync.stdout.resume();
    const exitCode = await new Promise((resolve) => sync.on('close', resolve));
    expect(restarted, output).toBeDefined();
    await restarted;
    // Only a snapshot is gone with the server: chunks are read again.
    expect(exitCode, output).toBe(consistency === 'snapshot' ? 3 : 0);
    if (consistency === 'snapshot') {
      expect(output).toMatch(/"code":"(snapshot_lost|source_connection_lost|source_unreachable)"/);
      const again = await pipeline.sync();
      expect(again.exitCode, again.stderr).toBe(0);
    }
    await expectEqual(pipeline);
  },
);

beforeEach(() => postgres.start());

/** The pids of a sync's connectors. */
function connectorsOf(parent: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n');
  const parts = lines.map((line) => line.trim().split(/\s+/));
  return parts.filter(([, ppid]) => Number(ppid) === parent).map(([pid]) => Number(pid));
}

test('an incremental stream survives kills at any moment: every row once', async () => {
  await postgres.query('DROP TABLE IF EXISTS log; CREATE TABLE log (id int PRIMARY KEY, at timestamptz, pad text)');
  let last = 0;
  // Batches share their cursor value with the ones before: boundaries are full of late rows.
  const grow = async (rows: number) => {
    await postgres.query(
      `INSERT INTO log SELECT n, '2026-01-01'::timestamptz + (n / 700) * interval '1 s', repeat('x', 100)
       FROM generate_series($1::int, $2::int) n`,
      [last + 1, last + rows],
    );
    last += rows;
  };
  await grow(40_000);
  await using folder = await temporaryFolder('fjord-increments');
  const stream = { syncMode: 'incremental', cursor: ['at'] };
  const destination = { commitIntervalSeconds: 0 };
  const pipeline = new Pipeline(folder.path, postgres, {
    match: ['public.log'],
    stream,
    source: { chunkMB: 1 },
    destination,
  });
  const hits: string[] = [];
  for (let kill = 0; kill < 10; kill++) {
    const sync = pipeline.start();
    sync.stdout.resume();
    let isReading = false;
    sync.stderr.on('data', (data: Buffer) => (isReading ||= data.toString().includes('"PROGRESS"')));
    const ended = new Promise((resolve) => sync.on('close', resolve));
    while (!isReading && sync.exitCode === null) await delay(5);
    await delay(kill * 25);
    const pids = connectorsOf(sync.pid ?? 0);
    for (const pid of [...pids, sync.pid ?? 0]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await ended;
    hits.push(sync.signalCode ?? `ended with ${sync.exitCode}`);
    await grow(5_123);
  }
  const result = await pipeline.sync();
  expect(result.exitCode, result.stderr).toBe(0);
  expect(hits, hits.join()).toContain('SIGKILL');
  const expected = await pipeline.expected('SELECT id, at, pad FROM log');
  expect((await pipeline.read('duckdb', 'log')).rows, hits.join()).toEqual(sortRows(expected.rows));
});
