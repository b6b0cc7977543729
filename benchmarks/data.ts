import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';

/** Clusters are kept where the server's own user can reach them: below a home folder it may not. */
const FOLDER = '/var/tmp/fjord-bench';

const SETTINGS = {
  shared_buffers: '512MB',
  max_wal_size: '16GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  autovacuum: 'off',
};

/** What one benchmark table is made from: the file, the variable in it, and how many rows one step of that makes. */
const TABLES = { trips: { variable: 'n', rowsPerStep: 1 }, lineitem: { variable: 'orders', rowsPerStep: 4 } };
export type BenchmarkTable = keyof typeof TABLES;

/** A cluster with the table in it, made once and kept in the cache for later runs. */
export async function startWithTable(table: BenchmarkTable, rows: number): Promise<PostgresServer> {
  const folder = path.join(FOLDER, `${table}-${rows}`);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const server = await startPostgres({ folder, settings: SETTINGS });
  const [{ made } = { made: false }] = await server.query<{ made: boolean }>(
    'SELECT reltuples > 0 AS made FROM pg_class WHERE relname = $1',
    [table],
  );
  if (!made) await makeTable(server, table, rows);
  return server;
}

async function makeTable(server: PostgresServer, table: BenchmarkTable, rows: number): Promise<void> {
  process.stderr.write(`making ${table} with about ${rows} rows, once\n`);
  const { variable, rowsPerStep } = TABLES[table];
  const script = await readFile(path.join(import.meta.dirname, 'data', `${table}.sql`), 'utf8');
  // psql's own commands and variables: the server alone is here.
  const lines = script.split('\n').filter((line) => !line.startsWith('\\') && !line.startsWith('--'));
  const sql = lines.join('\n').replaceAll(`:${variable}::bigint`, String(Math.round(rows / rowsPerStep)));
  for (const statement of sql.split(/;\s*\n/)) if (statement.trim() !== '') await server.query(statement);
}
