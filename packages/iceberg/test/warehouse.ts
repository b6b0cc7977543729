import { temporaryFolder } from '@fjord/test-harness';
import {
  type Catalog,
  type DataFile,
  type Table,
  type TableIdentifier,
  createSchema,
  openSqlCatalog,
} from '../src/index.ts';

export const ORDERS: TableIdentifier = { namespace: ['shop'], name: 'orders' };

export const ORDER_SCHEMA = createSchema(
  [
    { name: 'id', type: 'long', required: true },
    { name: 'name', type: 'string' },
  ],
  { identifier: ['id'] },
);

/** An empty catalog with the namespace `shop` in a folder of its own, removed at the end of its scope. */
export async function openWarehouse(): Promise<{ catalog: Catalog; path: string; uri: string } & AsyncDisposable> {
  const folder = await temporaryFolder('fjord-iceberg');
  const uri = `sqlite:///${folder.path}/catalog.db`;
  const catalog = await openSqlCatalog({ uri, warehouse: folder.path });
  await catalog.createNamespace(['shop']);
  return {
    catalog,
    uri,
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A described data file; the file itself need not exist for what is tested with it. */
export function dataFile(name: string, over: Partial<DataFile> = {}): DataFile {
  return { filePath: `/data/${name}`, fileFormat: 'PARQUET', recordCount: 10n, fileSizeInBytes: 100n, ...over };
}

/** The table as it is now. */
export async function reload(catalog: Catalog, identifier: TableIdentifier = ORDERS): Promise<Table> {
  const table = await catalog.loadTable(identifier);
  if (!table) throw new Error('The table is gone.');
  return table;
}
