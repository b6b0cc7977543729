import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, expect, onTestFinished } from 'vitest';
import {
  type CanonicalValue,
  type PostgresServer,
  startPostgres,
  startTcpProxy,
  type TableContents,
  type TcpProxy,
  temporaryFolder,
} from '../../src/index.ts';
import { Pipeline, type Reader } from './pipeline.ts';

const BARE = { metadataColumns: false };

/** A server with room for a slot a test, and a proxy before it; called in `beforeAll`, both end with the file's tests. */
export async function startFollowed(
  settings: Record<string, string> = {},
): Promise<{ postgres: PostgresServer; proxy: TcpProxy }> {
  const room = { max_replication_slots: '30', max_wal_senders: '30' };
  const postgres = await startPostgres({ settings: { ...room, ...settings } });
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
  { postgres, proxy }: { postgres: PostgresServer; proxy: { port: number } },
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

/** The tables hold what the database does, as foreign readers see them; columns that only the tables have do not count. */
export async function expectEqual(
  pipeline: Pipeline,
  schema: string,
  tables: string[],
  readers: Reader[] = ['duckdb'],
): Promise<void> {
  for (const table of tables) {
    const { columns, rows: wanted } = await pipeline.expected(`SELECT * FROM ${schema}.${table}`);
    for (const reader of readers) {
      const found = projected(await pipeline.read(reader, table, schema), columns);
      expect(differences(wanted, found), `${table} by ${reader}`).toEqual({
        lost: [],
        extra: [],
        wanted: found.length,
      });
    }
  }
}

/** A table's rows with these of its columns, in their order. */
function projected({ columns, rows }: TableContents, wanted: TableContents['columns']): CanonicalValue[][] {
  const places = wanted.map(({ name }) => columns.findIndex((column) => column.name === name));
  return rows.map((row) => places.map((place) => row[place] ?? null));
}

/** What one has and the other has not, counting equal rows. */
function differences(wanted: unknown[], found: unknown[]) {
  const counts = new Map<string, number>();
  for (const row of wanted) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  for (const row of found) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) - 1);
  const rowsBy = (sign: number) => [...counts].filter(([, count]) => Math.sign(count) === sign).map(([row]) => row);
  return { lost: rowsBy(1), extra: rowsBy(-1), wanted: wanted.length };
}

/** Makes two small tables. */
export async function makeSmallTables(postgres: PostgresServer, schema: string): Promise<void> {
  await postgres.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.a (id int PRIMARY KEY, n int);
    CREATE TABLE ${schema}.b (id int PRIMARY KEY, n int);
    INSERT INTO ${schema}.a SELECT g, g FROM generate_series(1, 500) g;
    INSERT INTO ${schema}.b SELECT g, g FROM generate_series(1, 500) g;`);
}

/** A sync that runs on in the background; it is killed with its test at the latest. */
export type RunningSync = { child: ChildProcess; ended: Promise<unknown>; readonly stderr: string };

/** Starts a sync in the background and gathers what it says. */
export function startSync(pipeline: Pipeline, ...args: string[]): RunningSync {
  const child = pipeline.start(...args);
  let stderr = '';
  child.stdout.resume();
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  return {
    child,
    ended: once(child, 'close'),
    get stderr() {
      return stderr;
    },
  };
}

/** Resolves when a sync in the background has brought a table to what the database has. */
export async function untilEqual(
  pipeline: Pipeline,
  running: RunningSync,
  [schema, table]: [string, string],
): Promise<void> {
  const isEqual = async () => {
    if (!(await pipeline.hasTable(schema, table))) return false;
    const { rows: found } = await pipeline.read('duckdb', table, schema);
    const { rows: wanted } = await pipeline.expected(`SELECT * FROM ${schema}.${table}`);
    return found.length > 0 && JSON.stringify(found) === JSON.stringify(wanted);
  };
  const hasCome = async () => {
    expect(running.child.exitCode, running.stderr).toBeNull();
    return isEqual();
  };
  const { stderr } = running;
  await expect
    .poll(hasCome, { timeout: 60_000, interval: 200, message: `${schema}.${table} is equal; ${stderr}` })
    .toBe(true);
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
