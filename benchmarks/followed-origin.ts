import { decodeValue, openSqlCatalog, planFiles, type Table } from '@fjord/iceberg';
import type { PostgresServer } from '@fjord/test-harness';

/** A table of a server of the benchmark's own, as the source of a pipeline that follows it; the password is in `BENCH_PASSWORD`. */
export function followedOrigin({ host, port, user, database }: PostgresServer, stream: string) {
  const config = { host, port, user, database, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' } };
  const source = { connector: 'postgres', config };
  return { source, environment: {}, stream, rows: 0, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The table that the pipeline makes of it in a warehouse on local disk; undefined before its first commit. */
export async function loadFollowed(warehouse: string, name: string): Promise<Table | undefined> {
  await using catalog = await openSqlCatalog({ uri: `sqlite:///${warehouse}/catalog.db`, warehouse, name: 'fjord' });
  return catalog.loadTable({ namespace: ['public'], name });
}

/** The newest value of a column of times, in milliseconds, by the upper bounds of the table's files. */
export async function newestMs(table: Table, column: string): Promise<number | undefined> {
  const field = table.metadata.schemas.at(-1)?.fields.find(({ name }) => name === column);
  if (!field) return undefined;
  let newest: bigint | undefined;
  for await (const { file } of planFiles(table)) {
    const bound = file.upperBounds?.get(field.id);
    const value = bound && decodeValue('timestamptz', bound);
    if (typeof value === 'bigint' && (newest === undefined || value > newest)) newest = value;
  }
  return newest === undefined ? undefined : Number(newest) / 1000;
}
