import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresServer } from '@fjord/test-harness';
import { type BenchmarkTable, startWithTable } from './cluster.ts';
import { measureFloor } from './floor.ts';
import type { Options } from './options.ts';
import { cpuOfTreeS } from './process-tree.ts';

/** Where a benchmark's rows come from: its part of the pipeline file, and what is known of the database. */
export interface Origin extends AsyncDisposable {
  source: { connector: string; config: Record<string, unknown> };
  environment: Record<string, string>;
  stream: string;
  rows: number;
  columns?: number;
  postgres?: {
    server: PostgresServer;
    version: string;
    floor1RowsPerS?: number;
    floorRowsPerS?: number;
    cpuS(): number;
  };
}

/** The synthetic source, or PostgreSQL with the table in memory and its floors just measured. */
export async function openOrigin(options: Options): Promise<Origin> {
  if (options.synthetic) return syntheticOrigin(options);
  return postgresOrigin(tableOf(options), options);
}

function tableOf({ name }: Options): BenchmarkTable {
  if (name === 'many-tables') return 'many';
  return name === 'lineitem' || name === 'wide' ? name : 'trips';
}

function syntheticOrigin({ rows, parallel }: Options): Origin {
  const connector = path.join(import.meta.dirname, 'synthetic-source.ts');
  return {
    // Nothing here could be held still for a snapshot.
    source: { connector, config: { rows, consistency: 'chunk', ...(parallel !== undefined && { parallel }) } },
    environment: {},
    stream: 'public.synthetic',
    rows,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function postgresOrigin(table: BenchmarkTable, options: Options): Promise<Origin> {
  const server = await startWithTable(table, options.rows);
  try {
    const [{ version } = { version: '' }] = await server.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    const rows = table === 'many' ? await countManyRows(server) : await countRows(server, table);
    const columns = table === 'many' ? undefined : await countColumns(server, table);
    const floors = table === 'many' ? undefined : await measureFloors(server, table);
    const postmaster = Number((await readFile(path.join(server.dataFolder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    return {
      source: { connector: 'postgres', config: configOf(server, options) },
      environment: { BENCH_PASSWORD: server.password },
      stream: table === 'many' ? 'public.*' : `public.${table}`,
      rows,
      ...(columns !== undefined && { columns }),
      postgres: { server, version, ...floors, cpuS: () => cpuOfTreeS(postmaster) },
      // Stopped in order, so that the next run finds nothing to recover.
      [Symbol.asyncDispose]: () => server.stop('fast'),
    };
  } catch (cause) {
    await server.stop('fast');
    throw cause;
  }
}

async function measureFloors(server: PostgresServer, table: BenchmarkTable) {
  const floor1RowsPerS = await measureFloor(server, table, 1);
  return { floor1RowsPerS, floorRowsPerS: await measureFloor(server, table, 2) };
}

async function countColumns(server: PostgresServer, table: BenchmarkTable): Promise<number> {
  const [found] = await server.query<{ columns: number }>(
    'SELECT relnatts::int4 AS columns FROM pg_class WHERE relname = $1',
    [table],
  );
  return found?.columns ?? 0;
}

/** All tables of the many: their script has just analyzed them. */
async function countManyRows(server: PostgresServer): Promise<number> {
  const [{ rows } = { rows: 0 }] = await server.query<{ rows: number }>(
    "SELECT sum(reltuples)::float8 AS rows FROM pg_class WHERE relname ~ '^many(_[0-9]+)?$' AND relkind = 'r'",
  );
  return rows;
}

/** Counts by reading the whole table, so that all that follows finds it in memory. */
async function countRows(server: PostgresServer, table: BenchmarkTable): Promise<number> {
  const [{ rows } = { rows: 0 }] = await server.query<{ rows: number }>(
    `SET enable_indexonlyscan = off; SET enable_indexscan = off; SELECT count(*)::float8 AS rows FROM ${table}`,
  );
  return rows;
}

function configOf({ host, port, user, database }: PostgresServer, { parallel, consistency, pace }: Options) {
  return {
    host,
    port,
    user,
    database,
    password: '${env:BENCH_PASSWORD}',
    tls: { mode: 'disable' },
    ...(parallel !== undefined && { parallel }),
    ...(consistency !== undefined && { consistency }),
    ...(pace !== undefined && { profile: pace }),
  };
}
