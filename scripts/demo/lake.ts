import { DuckDBInstance } from '@duckdb/node-api';
import { openSqlCatalog, planFiles } from '@fjord/iceberg';

/** A warehouse as DuckDB sees it: one view for each table, and how it reads them. */
export type Lake = { reader: string; query(sql: string): Promise<string[][]> };

/** Opens every table of a namespace in DuckDB: by its iceberg extension if that can be loaded, else the data files of our own scan. */
export async function openLake(warehouse: string, namespace: string): Promise<Lake> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const hasExtension = await connection.run('LOAD iceberg').then(
    () => true,
    () => false,
  );
  await using catalog = await openSqlCatalog({ uri: `${warehouse}/catalog.db`, name: 'fjord', warehouse });
  for (const identifier of await catalog.listTables([namespace])) {
    const table = await catalog.loadTable(identifier);
    if (!table) continue;
    const files = await Array.fromAsync(planFiles(table), ({ file }) => literal(withoutScheme(file.filePath)));
    const source = hasExtension
      ? `iceberg_scan(${literal(withoutScheme(table.metadataLocation))})`
      : `read_parquet([${files.join(', ')}])`;
    await connection.run(`CREATE VIEW "${identifier.name.replaceAll('"', '""')}" AS SELECT * FROM ${source}`);
  }
  return {
    reader: hasExtension
      ? "DuckDB's iceberg extension"
      : "DuckDB, from the files of Fjord's own scan (its iceberg extension is not at hand)",
    async query(sql) {
      const result = await connection.runAndReadAll(sql);
      return result
        .getRowsJson()
        .map((row) => row.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))));
    },
  };
}

const withoutScheme = (location: string) => location.replace(/^file:\/\//, '');
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
