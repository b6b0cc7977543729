import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresServer,
  startPostgres,
  startPostgresStandby,
  startTcpProxy,
  type TcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const ROWS = 30_000;
/** Each answer is this late, so that a load is under way when the server is first asked for its lag. */
const SLOW_MS = 20;

let primary: PostgresServer;
let standby: PostgresServer;

beforeAll(async () => {
  primary = await startPostgres({ major: 15 });
  await primary.query(
    `CREATE TABLE t AS SELECT n AS id, repeat('x', 100) AS pad FROM generate_series(1, ${ROWS}) n; CREATE TABLE noise (at timestamptz)`,
  );
  // The primary knows of a lag what the standby reports.
  standby = await startPostgresStandby(primary, { wal_receiver_status_interval: '1s' });
});
afterAll(async () => {
  await standby?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

test.each(['primary', 'standby'] as const)(
  'a load from the %s pauses while the replica lags, and then reads the rest',
  async (role) => {
    await using folder = await temporaryFolder('fjord-lag');
    await using proxy = await startTcpProxy(role === 'primary' ? primary : standby);
    const chunks = new Watched(proxy);
    proxy.delayMs = SLOW_MS;
    const source = { port: proxy.port, consistency: 'chunk', parallel: 1, chunkMB: 0.1, maxReplicaLagSeconds: 1 };
    const pipeline = new Pipeline(folder.path, primary, { match: ['public.t'], source });
    await standby.query('SELECT pg_wal_replay_pause()');
    await primary.query('INSERT INTO noise VALUES (now())');
    const sync = pipeline.start();
    sync.stdout.resume();
    let log = '';
    const said = (words: string) => log.includes(words);
    sync.stderr.on('data', (data: Buffer) => (log += data.toString()));
    const ended = once(sync, 'close');

    await untilTrue(() => said('"reading pauses"'));
    expect(log).toMatch(/"message":"reading pauses"[^\n]*"reason":"a replica is behind"/);
    // The statement under way ends; of the next two looks at the server the second finds nothing new asked for.
    await chunks.untilLooked(1);
    const asked = chunks.asked;
    await chunks.untilLooked(1);
    expect(chunks.asked).toBe(asked);
    expect(said('"reading goes on"')).toBe(false);

    await standby.query('SELECT pg_wal_replay_resume()');
    await untilTrue(() => said('"reading goes on"'));
    proxy.delayMs = 0;
    await ended;
    expect(sync.exitCode, log).toBe(0);
    expect(chunks.asked).toBeGreaterThan(asked);
    expect((await pipeline.read('duckdb', 't')).rows).toHaveLength(ROWS);

    /** Looks at the primary, which makes it write, as long as it has to. */
    async function untilTrue(isTrue: () => boolean): Promise<void> {
      while (!isTrue()) {
        expect(sync.exitCode, log).toBe(null);
        await primary.query('INSERT INTO noise VALUES (now())');
      }
    }
  },
);

/** Counts what is asked of a server: statements that copy rows, and looks at its load. */
class Watched {
  asked = 0;
  #looks = 0;
  #waiting: { looks: number; resolve(): void } | undefined;

  constructor(proxy: TcpProxy) {
    proxy.onSent = (piece) => {
      if (piece.includes('COPY (')) this.asked += 1;
      if (!piece.includes('freeConnections')) return;
      this.#looks += 1;
      if (this.#waiting && this.#looks >= this.#waiting.looks) this.#waiting.resolve();
    };
  }

  untilLooked(times: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { looks: this.#looks + times, resolve };
    });
  }
}
