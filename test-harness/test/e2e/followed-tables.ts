import { afterAll, expect, onTestFinished } from 'vitest';
import { type PostgresServer, startPostgres, startTcpProxy, type TcpProxy, temporaryFolder } from '../../src/index.ts';
import { Pipeline } from './pipeline.ts';

const BARE = { metadataColumns: false };

/** A server with room for a slot a test, and a proxy before it; called in `beforeAll`, both end with the file's tests. */
export async function startFollowed(): Promise<{ postgres: PostgresServer; proxy: TcpProxy }> {
  const postgres = await startPostgres({ settings: { max_replication_slots: '30', max_wal_senders: '30' } });
  const proxy = await startTcpProxy(postgres);
  stoppable.push(proxy, postgres);
  return { postgres, proxy };
}

const stoppable: AsyncDisposable[] = [];
afterAll(async () => {
  for (const each of stoppable.splice(0)) await each[Symbol.asyncDispose]();
});

/** A pipeline that follows the tables of a schema of the test's own. */
export async function follow(
  schema: string,
  { postgres, proxy }: { postgres: PostgresServer; proxy: TcpProxy },
  options: ConstructorParameters<typeof Pipeline>[2] = {},
) {
  const folder = await temporaryFolder('fjord-changes');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const { source, stream, ...others } = options;
  return new Pipeline(folder.path, postgres, {
    id: schema,
    match: [`${schema}.*`],
    writeMode: 'upsert',
    stream: { syncMode: 'changes', ...BARE, ...stream },
    destination: { commitIntervalSeconds: 0 },
    ...others,
    source: { chunkMB: 0.1, port: proxy.port, ...source },
  });
}

/** Runs a sync that must succeed. */
export async function sync(pipeline: Pipeline, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await pipeline.sync(...args);
  expect(exitCode, stderr).toBe(0);
}

/** The tables hold what the database does, as foreign readers see them. */
export async function expectEqual(
  pipeline: Pipeline,
  schema: string,
  tables: string[],
  readers: ('duckdb' | 'pyiceberg')[] = ['duckdb'],
): Promise<void> {
  for (const table of tables) {
    const { rows: wanted } = await pipeline.expected(`SELECT * FROM ${schema}.${table}`);
    for (const reader of readers) {
      const { rows: found } = await pipeline.read(reader, table, schema);
      expect(differences(wanted, found), `${table} by ${reader}`).toEqual({
        lost: [],
        extra: [],
        wanted: found.length,
      });
    }
  }
}

/** What one has and the other has not, counting equal rows. */
function differences(wanted: unknown[], found: unknown[]) {
  const counts = new Map<string, number>();
  for (const row of wanted) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  for (const row of found) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) - 1);
  const rowsBy = (sign: number) => [...counts].filter(([, count]) => Math.sign(count) === sign).map(([row]) => row);
  return { lost: rowsBy(1), extra: rowsBy(-1), wanted: wanted.length };
}

/** Writes to the tables until it is told to stop; every statement is a transaction of its own. */
export function writeBeside(postgres: PostgresServer, schema: string): { stop(): Promise<void> } {
  const stop = new AbortController();
  const writing = (async () => {
    for (let round = 0; !stop.signal.aborted; round++) {
      const id = 1 + ((round * 7919) % 12_000);
      await postgres.query(`UPDATE ${schema}.a SET n = n + 1, pad = repeat('u', ${round % 200}) WHERE id = ${id}`);
      await postgres.query(`DELETE FROM ${schema}.a WHERE id = ${(id * 31) % 12_000}`);
      await postgres.query(
        `INSERT INTO ${schema}.a VALUES (${20_000 + round}, ${round}, 'new') ON CONFLICT DO NOTHING`,
      );
      await postgres.query(`UPDATE ${schema}.a SET n = -n - 1 WHERE id = ${40 * (round % 300)}`);
      await postgres.query(`UPDATE ${schema}.b SET id = -id WHERE id = ${id}`);
    }
  })();
  return {
    async stop() {
      stop.abort();
      await writing;
    },
  };
}

/** Tables to copy while they change; some rows hold values that the log does not carry when they do not change. */
export async function makeTables(postgres: PostgresServer, schema: string): Promise<void> {
  await postgres.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.a (id int PRIMARY KEY, n int, pad text);
    CREATE TABLE ${schema}.b (id int PRIMARY KEY, n int, pad text);
    ALTER TABLE ${schema}.a ALTER pad SET STORAGE EXTERNAL;
    INSERT INTO ${schema}.a SELECT g, 0, repeat('p', CASE WHEN g % 40 = 0 THEN 3000 ELSE 200 END) FROM generate_series(1, 12000) g;
    INSERT INTO ${schema}.b SELECT g, 0, repeat('p', 200) FROM generate_series(1, 12000) g;`);
}
