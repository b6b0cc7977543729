import type { SelectedStream, Stream } from '@fjord/core';
import type { EncodedBatch } from '@fjord/replication';
import type { PostgresServer } from '@fjord/test-harness';
import { type Table, tableFromIPC } from 'apache-arrow';
import type { Config } from '../src/config.ts';
import { PostgresDatabase } from '../src/database.ts';

/** A config for a test server; `changes` replace single options. */
export function configFor(server: PostgresServer, changes: Partial<Config> = {}): Config & { parallel: number } {
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

export function openDatabase(server: PostgresServer, changes: Partial<Config> = {}): PostgresDatabase {
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
  chunk?: number;
  plan: Awaited<ReturnType<PostgresDatabase['planChunks']>>;
};

/** The rows of one chunk, or of all chunks one after the other. */
export async function readRows(
  database: PostgresDatabase,
  stream: SelectedStream,
  { snapshot, chunk, plan }: ReadOptions,
): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  const chunks = chunk === undefined ? Array.from({ length: plan.chunks }, (_, index) => index) : [chunk];
  for (const index of chunks) {
    const request = { stream, plan, chunk: index, snapshot, batchBytes: 1 << 20, signal: new AbortController().signal };
    for await (const batch of database.readChunk(request)) {
      for (const row of tableOf(batch)) rows.push(row.toJSON());
    }
  }
  return rows;
}
