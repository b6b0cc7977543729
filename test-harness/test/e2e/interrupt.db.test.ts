import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, startTcpProxy, type TcpProxy, temporaryFolder } from '../../src/index.ts';
import { untilAsked } from './kill-run.ts';
import { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startTcpProxy(postgres);
  for (const table of ['a', 'b']) {
    await postgres.query(`CREATE TABLE ${table} (id int PRIMARY KEY, pad text)`);
    await postgres.query(`INSERT INTO ${table} SELECT g, repeat('p', 100) FROM generate_series(1, 10000) g`);
  }
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

test.each([
  ['SIGINT', 130, 'interrupted'],
  ['SIGTERM', 143, 'terminated'],
] as const)(
  '%s to the whole group of a sync ends it in seconds with %i; the next goes on, the one after changes nothing',
  async (signal, exitCode, code) => {
    await using folder = await temporaryFolder('fjord-interrupt');
    const pipeline = new Pipeline(folder.path, postgres, {
      source: { port: proxy.port, consistency: 'chunk', chunkMB: 0.1 },
      destination: { commitIntervalSeconds: 0 },
    });
    const sync = pipeline.start();
    let stderr = '';
    sync.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    sync.stdout.resume();
    const ended = once(sync, 'close');
    // From here on nothing comes from the database: the sync cannot just have ended by itself.
    await untilAsked(proxy, 6);
    proxy.stall();
    const begun = performance.now();
    process.kill(-(sync.pid ?? 0), signal);
    await ended;
    proxy.resume();
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(sync.exitCode, stderr).toBe(exitCode);
    expect(stderr.trim().split('\n').at(-1)).toContain(`"code":"${code}"`);
    const next = await pipeline.sync();
    expect(next.exitCode, next.stderr).toBe(0);
    for (const table of ['a', 'b']) {
      expect((await pipeline.read('duckdb', table)).rows).toEqual(
        (await pipeline.expected(`SELECT * FROM ${table}`)).rows,
      );
    }
    const before = await pipeline.table('public', 'a');
    const again = await pipeline.sync();
    expect(again.exitCode, again.stderr).toBe(0);
    expect((await pipeline.table('public', 'a')).metadataLocation).toBe(before.metadataLocation);
  },
);
