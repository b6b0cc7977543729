import type { DuckDBConnection } from '@duckdb/node-api';
import { ConnectorError, type SelectedStream } from '@fjord/core';
import { type Catalog, planFiles } from '@fjord/iceberg';
import { openWarehouse } from '../open-warehouse.ts';
import { loadPositions } from './deleted-positions.ts';
import { LocalFiles } from './local-files.ts';
import type { QueryRequest } from './query.ts';
import { BARE, findQueryNames, type QueryName } from './query-names.ts';
import { tableSelect } from './table-sql.ts';
import { quoteName } from './type-text.ts';

const MEGABYTE = 1024 * 1024;
/** Holds what the views need; no user's namespace is called so. */
const OWN_SCHEMA = '_fjord_query';

/** Makes a view of each table that the statement may name; files that are not on this machine are copied into the folder. */
export async function openViews(
  connection: DuckDBConnection,
  { config, streams, sql }: QueryRequest,
  folder: string,
): Promise<void> {
  await using catalog = (await openWarehouse(config)).catalog;
  const local = new LocalFiles(folder, config.queryCopyMB * MEGABYTE);
  const names = findQueryNames(streams, sql);
  await connection.run(`CREATE SCHEMA ${OWN_SCHEMA}`);
  const tables = [...Map.groupBy(names, ({ stream }) => stream)];
  for (const [index, [stream, own]] of tables.entries()) {
    const positions = `${OWN_SCHEMA}.positions_${index}`;
    await openTable({ connection, catalog, local, positions }, stream, own);
  }
}

type Tools = { connection: DuckDBConnection; catalog: Catalog; local: LocalFiles; positions: string };

/** A table that is not there yet gets no view: DuckDB says so. */
async function openTable(
  { connection, catalog, local, positions }: Tools,
  { stream, target }: SelectedStream,
  names: readonly QueryName[],
): Promise<void> {
  const table = await catalog.loadTable(target);
  if (!table) return;
  const files = await Array.fromAsync(planFiles(table));
  const read = new Set(files.flatMap(({ file, deletes }) => [file, ...deletes]));
  const parquet = [...read].filter(({ fileFormat }) => fileFormat !== 'PUFFIN');
  const pathOf = await local.provide(table.io, parquet);
  try {
    await loadPositions(connection, { table, files, positions, pathOf });
    const select = tableSelect(table, { files, positions, pathOf });
    for (const { schema, name } of names) {
      if (schema !== BARE) await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`);
      await connection.run(`CREATE VIEW ${quoteName(schema)}.${quoteName(name)} AS ${select}`);
    }
  } catch (cause) {
    if (cause instanceof ConnectorError || !(cause instanceof Error)) throw cause;
    const table = [...target.namespace, target.name].join('.');
    throw new ConnectorError('storage_failed', `DuckDB cannot read the files of table ${table}: ${cause.message}`, {
      cause,
      stream,
    });
  }
}
