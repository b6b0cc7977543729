import type { SelectedStream, Stream } from '@fjord/core';
import type { ChunkPlan, EncodedBatch, PlanRequest, ReadChunkRequest } from '@fjord/replication';
import { type Table, tableFromIPC } from 'apache-arrow';
import type { Config } from '../src/config.ts';
import { PostgresDatabase } from '../src/database.ts';

/** What is to be known of a server to connect to it. */
export type ServerAddress = Record<'host' | 'database' | 'user' | 'password', string> & { port: number };

/** A config for a test server; `changes` replace single options. */
export function configFor(server: ServerAddress, changes: Partial<Config> = {}): Config & { parallel: number } {
  const { host, port, database, user, password } = server;
  return {
    host,
    port,
    database,
    user,
    password,
    tls: { mode: 'disable' },
    unrepresentable: 'null',
    unboundedNumeric: 'string',
    connectTimeoutSeconds: 5,
    applicationName: 'fjord',
    parallel: 2,
    ...changes,
  };
}

export function openDatabase(server: ServerAddress, changes: Partial<Config> = {}): PostgresDatabase {
  return new PostgresDatabase(configFor(server, changes));
}

/** A discovered stream with all of its columns selected. */
export function select(stream: Stream): SelectedStream {
  const { namespace, name, columns, primaryKey } = stream;
  return {
    stream: stream.stream,
    ...(namespace !== undefined && { namespace }),
    name,
    columns,
    primaryKey,
    writeMode: 'overwrite',
    target: { namespace: ['test'], name },
  };
}

export async function selectNamed(database: PostgresDatabase, id: string): Promise<SelectedStream> {
  const streams = await database.discover();
  const found = streams.find(({ stream }) => stream === id);
  if (!found) throw new Error(`${id} is not among ${streams.map(({ stream }) => stream).join(', ')}`);
  return select(found);
}

/** A batch as an Arrow table, as any reader would see it. */
export function tableOf({ body }: EncodedBatch): Table {
  return tableFromIPC(Buffer.concat(body));
}

export type ReadOptions = {
  snapshot?: string;
  /** One unit only; all of them, as one chunk, if absent. */
  unit?: number;
  pieces?: number;
  since?: unknown;
  maxStatementSeconds?: number;
  plan: ChunkPlan;
};

/** A request for all of a plan in one chunk, in a transaction of its own. */
export function chunkRequest(stream: SelectedStream, plan: ChunkPlan): ReadChunkRequest {
  const { signal } = new AbortController();
  const none = { snapshot: undefined, since: undefined, maxStatementSeconds: undefined };
  return { stream, plan, units: [0, plan.units], pieces: 1, ...none, batchBytes: 1 << 20, signal };
}

/** The rows of one unit or of all, and the boundary of an incremental stream. */
export async function readAll(database: PostgresDatabase, stream: SelectedStream, options: ReadOptions) {
  const { snapshot, unit, pieces = 1, since, maxStatementSeconds, plan } = options;
  const rows: Record<string, unknown>[] = [];
  let boundary: unknown;
  const request = {
    ...chunkRequest(stream, plan),
    ...(unit !== undefined && { units: [unit, unit + 1] as const }),
    ...{ pieces, snapshot, since, maxStatementSeconds },
  };
  for await (const item of database.readChunk(request)) {
    if ('boundary' in item) ({ boundary } = item);
    else if ('rows' in item) for (const row of tableOf(item)) rows.push(row.toJSON());
  }
  return { rows, boundary };
}

/** The rows of one unit, or of all. */
export async function readRows(database: PostgresDatabase, stream: SelectedStream, options: ReadOptions) {
  return (await readAll(database, stream, options)).rows;
}

/** A request for a plan of units of so many bytes, cut by pages unless said otherwise. */
export function planRequest(unitBytes: number, changes: Partial<PlanRequest> = {}): PlanRequest {
  return { unitBytes, snapshot: undefined, cutBy: 'place', since: undefined, ...changes };
}
