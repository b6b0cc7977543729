import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { openSqlCatalog, planFiles } from '@fjord/iceberg';

const FETCH = path.join(import.meta.dirname, 'fetch-extension.ts');
/** The extension comes once from DuckDB's server; who cannot reach that should not wait for it. */
const FETCH_TIMEOUT_MS = 10_000;

/** A namespace of a warehouse as DuckDB sees it: one view for each table, and which way it reads them. */
export interface Lake extends Disposable {
  reader: 'extension' | 'files';
  /** The rows of a query, each value as text. */
  query(sql: string): Promise<string[][]>;
}

/** Opens every table of a namespace in DuckDB: by its iceberg extension if that can be had, else the data files of our own scan. */
export async function openLake(warehouse: string, namespace: string): Promise<Lake> {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = (await loadExtension(connection)) ? 'extension' : 'files';
  await connection.run("SET TimeZone = 'UTC'");
  await using catalog = await openSqlCatalog({ uri: `${warehouse}/catalog.db`, name: 'fjord', warehouse });
  for (const identifier of await catalog.listTables([namespace])) {
    const table = await catalog.loadTable(identifier);
    if (!table) continue;
    const files = await Array.fromAsync(planFiles(table), ({ file }) => literal(file.filePath));
    const rows =
      reader === 'extension'
        ? `iceberg_scan(${literal(table.metadataLocation)})`
        : `read_parquet([${files.join(', ')}])`;
    await connection.run(`CREATE VIEW "${identifier.name.replaceAll('"', '""')}" AS SELECT * FROM ${rows}`);
  }
  return {
    reader,
    async query(sql) {
      const result = await connection.runAndReadAll(sql);
      return result.getRowsJson().map((row) => row.map(String));
    },
    [Symbol.dispose]: () => connection.closeSync(),
  };
}

async function loadExtension(connection: DuckDBConnection): Promise<boolean> {
  // In a process of its own: a download that hangs cannot be called off within this one.
  const fetching = spawn(process.execPath, [FETCH], { stdio: 'ignore', timeout: FETCH_TIMEOUT_MS });
  await once(fetching, 'close');
  await connection.run('SET autoinstall_known_extensions = false');
  return connection.run('LOAD iceberg').then(
    () => true,
    () => false,
  );
}

/** A file's location as a text of SQL, by its path. */
function literal(location: string): string {
  const file = location.startsWith('file:') ? fileURLToPath(location) : location;
  return `'${file.replaceAll("'", "''")}'`;
}
