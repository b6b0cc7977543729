import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError } from '@fjord/core';
import { type Catalog, openSqlCatalog } from '@fjord/iceberg';
import type { Config } from './config.ts';

/** Where tables live and how: the catalog, and the plain properties from which any thread can open the storage. */
export type Warehouse = { catalog: Catalog; location: string; io: Record<string, string> };

/** Opens the catalog and names the storage of a config; makes local folders that are missing. */
export async function openWarehouse(config: Config): Promise<Warehouse> {
  const location = warehouseLocation(config.warehouse);
  const io = storageProperties(config);
  const file = catalogFile(config);
  mkdirSync(path.dirname(file), { recursive: true });
  const name = config.catalog?.name ?? 'fjord';
  const catalog = await openSqlCatalog({ uri: file, name, warehouse: location, io });
  return { location, io, catalog };
}

function warehouseLocation(warehouse: string): string {
  if (/^s3a?:\/\//.test(warehouse)) return warehouse.replace(/\/+$/, '');
  if (warehouse.startsWith('file:')) return warehouse.replace(/\/+$/, '');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(warehouse)) {
    throw new ConnectorError(
      'config_invalid',
      `Option warehouse names a storage that is not supported: ${warehouse.split('://')[0]}.`,
    );
  }
  return path.resolve(warehouse);
}

function catalogFile({ catalog, warehouse }: Config): string {
  if (catalog?.file !== undefined) return path.resolve(catalog.file);
  if (!/^[a-z0-9]+:\/\//i.test(warehouse)) return path.resolve(warehouse, 'catalog.db');
  throw new ConnectorError(
    'config_invalid',
    'Option catalog.file is required when the warehouse is not a local folder.',
  );
}

/** Storage properties by the names that Iceberg's own clients use (S3FileIO). */
function storageProperties({ s3 }: Config): Record<string, string> {
  if (!s3) return {};
  return {
    ...(s3.region !== undefined && { 's3.region': s3.region }),
    ...(s3.endpoint !== undefined && { 's3.endpoint': s3.endpoint }),
    ...(s3.pathStyle && { 's3.path-style-access': 'true' }),
    ...(s3.accessKeyId !== undefined && { 's3.access-key-id': s3.accessKeyId }),
    ...(s3.secretAccessKey !== undefined && { 's3.secret-access-key': s3.secretAccessKey }),
  };
}
