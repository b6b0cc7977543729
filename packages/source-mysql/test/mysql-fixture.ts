import type { SelectedStream, Stream } from '@fjord/core';
import type { ChunkPlan, EncodedBatch, PlanRequest, ReadChunkRequest } from '@fjord/replication';
import type { SqlServer } from '@fjord/test-harness';
import { type Table, tableFromIPC } from 'apache-arrow';
import type { Config } from '../src/config.ts';
import { connect } from '../src/connection.ts';
import { MysqlDatabase } from '../src/database.ts';

type Address = Pick<SqlServer, 'host' | 'port' | 'user' | 'password'>;

/** A config for a test server; `changes` replace single options. */
export function configFor(server: Address, changes: Partial<Config> = {}): Config & { parallel: number } {
  const { host, port, user, password } = server;
  return {
    ...{ host, port, user, password },
    tls: { mode: 'disable' },
    unrepresentable: 'null',
    wideDecimal: 'string',
    tinyint1: 'int',
    timeAs: 'time',
    connectTimeoutSeconds: 5,
    parallel: 2,
    ...changes,
  };
}

export function openDatabase(server: Address, changes: Partial<Config> = {}): MysqlDatabase {
  return new MysqlDatabase(configFor(server, changes));
}

/** Runs statements one after the other in one session. */
export async function execute(server: Address, statements: string[]): Promise<void> {
  await using connection = await connect(configFor(server));
  for (const statement of statements) await connection.query(statement);
}

/** What a query of one column `v` gives, as text. */
export async function queryText(server: Address, sql: string): Promise<string[]> {
  await using connection = await connect(configFor(server));
  return (await connection.query(sql)).map((row) => String(row['v']));
}

/** A discovered stream with all of its columns selected. */
export function select({ stream, namespace, name, columns, primaryKey }: Stream): SelectedStream {
  const selected = { stream, ...(namespace !== undefined && { namespace }), name, columns, primaryKey };
  return { ...selected, writeMode: 'overwrite', target: { namespace: ['test'], name } };
}

export async function selectNamed(database: MysqlDatabase, id: string): Promise<SelectedStream> {
  const streams = await database.discover();
  const found = streams.find(({ stream }) => stream === id);
  if (!found) throw new Error(`${id} is not among ${streams.map(({ stream }) => stream).join(', ')}`);
  return select(found);
}

/** A batch as an Arrow table, as any reader would see it. */
export function tableOf({ body }: EncodedBatch): Table {
  return tableFromIPC(Buffer.concat(body));
}

/** A request for all of a plan in one chunk. */
export function chunkRequest(
  stream: SelectedStream,
  plan: ChunkPlan,
  changes: Partial<ReadChunkRequest> = {},
): ReadChunkRequest {
  const { signal } = new AbortController();
  const none = { snapshot: undefined, since: undefined, maxStatementSeconds: undefined };
  return { stream, plan, units: [0, plan.units], pieces: 1, ...none, batchBytes: 1 << 20, signal, ...changes };
}

/** The rows of one chunk. */
export async function readRows(database: MysqlDatabase, request: ReadChunkRequest): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const item of database.readChunk(request)) {
    if ('rows' in item) for (const row of tableOf(item)) rows.push(row.toJSON());
  }
  return rows;
}

/** A request for a plan of units of so many bytes, cut by key. */
export function planRequest(unitBytes: number): PlanRequest {
  return { unitBytes, snapshot: undefined, cutBy: 'key', since: undefined };
}
