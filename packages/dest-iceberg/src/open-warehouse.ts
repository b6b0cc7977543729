import path from 'node:path';
import { ConnectorError } from '@fjord/core';
import { type Catalog, type CatalogOptions, openCatalog } from '@fjord/iceberg';
import type { CatalogConfig } from './catalog-config.ts';
import type { Config } from './config.ts';
import { LEDGER_FOLDER } from './parquet-folder.ts';
import { storageProperties } from './storage-config.ts';

/** Where tables live and how: the catalog, and the plain properties from which any thread can open the storage. */
export type Warehouse = {
  catalog: Catalog;
  /** Where tables go; undefined where the catalog alone knows. */
  location: string | undefined;
  io: Record<string, string>;
};

type CatalogType = CatalogConfig['type'];

const LOCAL_DEFAULT: CatalogType = 'sqlite';

/** Opens the catalog and names the storage of a config; makes local folders that are missing. Throws `config_invalid` for what does not fit together. */
export async function openWarehouse(config: Config): Promise<Warehouse> {
  if (config.format === 'parquet') return openLedger(config);
  const options = catalogOptions(config);
  return {
    catalog: await openCatalog(options),
    location: options.type === 'rest' ? undefined : options.warehouse,
    io: storageProperties(config),
  };
}

/** Plain files have no catalog: what was committed is noted in a folder beside them. */
async function openLedger(config: Config): Promise<Warehouse> {
  if (config.catalog) throw invalid('Option catalog has no use for format parquet: plain files have no catalog.');
  const [location, io] = [`${locationOf(config)}/${LEDGER_FOLDER}`, storageProperties(config)];
  return { catalog: await openCatalog({ type: 'hadoop', warehouse: location, io }), location, io };
}

/** What the table library needs to open the config's catalog. */
export function catalogOptions(config: Config): CatalogOptions {
  const type = config.catalog?.type ?? LOCAL_DEFAULT;
  const io = storageProperties(config);
  switch (type) {
    case 'sqlite':
      return { type: 'sql', uri: catalogFile(config), name: nameOf(config), warehouse: locationOf(config), io };
    case 'postgres':
    case 'mysql':
      return { type: 'sql', uri: uriOf(config, type), name: nameOf(config), warehouse: locationOf(config), io };
    case 'rest':
      return { type, io, ...restOptions(config) };
    case 'glue':
      return { type, io, warehouse: locationOf(config), ...glueOptions(config) };
    case 'hive':
      return {
        type,
        io,
        uri: uriOf(config, type),
        warehouse: locationOf(config),
        locks: config.catalog?.locks ?? true,
      };
    case 'hadoop':
      return { type, io, warehouse: locationOf(config) };
    default:
      return type satisfies never;
  }
}

function restOptions(config: Config): Omit<Extract<CatalogOptions, { type: 'rest' }>, 'type' | 'io'> {
  const { catalog, warehouse, s3 } = config;
  const { token, credential, oauth2ServerUri, scope, audience, signingName, headers } = catalog ?? {};
  const keys = { accessKeyId: s3?.accessKeyId, secretAccessKey: s3?.secretAccessKey, sessionToken: s3?.sessionToken };
  if (signingName !== undefined && s3?.region === undefined) {
    throw invalid('Option s3.region is required to sign requests to a catalog of type rest.');
  }
  return {
    uri: uriOf(config, 'rest'),
    accessDelegation: catalog?.accessDelegation ?? 'vended-credentials',
    ...present({ warehouse, token, credential, oauth2ServerUri, scope }),
    ...(audience !== undefined && { oauth2Fields: { audience } }),
    ...(headers && { headers }),
    ...(signingName !== undefined && { sigv4: { region: s3?.region ?? '', service: signingName, ...present(keys) } }),
  };
}

function glueOptions({ catalog, s3 }: Config): Partial<Extract<CatalogOptions, { type: 'glue' }>> {
  const { endpoint, catalogId } = catalog ?? {};
  const { accessKeyId, secretAccessKey, sessionToken } = s3 ?? {};
  const region = catalog?.region ?? s3?.region;
  return present({ region, endpoint, catalogId, accessKeyId, secretAccessKey, sessionToken });
}

/** The scheme that each database's URIs may have; a wrong one is more likely a wrong option than a new database. */
const SCHEMES = {
  postgres: /^postgres(ql)?:\/\//,
  mysql: /^(mysql|mariadb):\/\//,
  rest: /^https?:\/\//,
  hive: /^thrift:\/\//,
} as const;

function uriOf({ catalog }: Config, type: keyof typeof SCHEMES): string {
  const uri = catalog?.uri;
  if (uri === undefined) throw invalid(`Option catalog.uri is required for a catalog of type ${type}.`);
  if (SCHEMES[type].test(uri)) return uri;
  throw invalid(`Option catalog.uri is not the address of a catalog of type ${type}: see its description.`);
}

function nameOf({ catalog }: Config): string {
  return catalog?.name ?? 'fjord';
}

function locationOf({ catalog, warehouse }: Config): string {
  if (warehouse === undefined) {
    throw invalid(`Option warehouse is required for a catalog of type ${catalog?.type ?? LOCAL_DEFAULT}.`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(warehouse)?.[1]?.toLowerCase();
  if (scheme === undefined) return path.resolve(warehouse);
  if (/^(file|s3[an]?|gs|abfss?|wasbs?)$/.test(scheme)) return warehouse.replace(/\/+$/, '');
  throw invalid(`Option warehouse names a storage that is not supported: ${scheme}.`);
}

function catalogFile({ catalog, warehouse }: Config): string {
  if (catalog?.file !== undefined) return path.resolve(catalog.file);
  if (warehouse !== undefined && !/^[a-z0-9+.-]+:\/\//i.test(warehouse)) return path.resolve(warehouse, 'catalog.db');
  throw invalid('Option catalog.file is required when the warehouse is not a local folder.');
}

function invalid(message: string): ConnectorError {
  return new ConnectorError('config_invalid', message);
}

/** The entries that have a value. */
function present<T extends Record<string, string | undefined>>(entries: T): { [Name in keyof T]?: string } {
  const found = Object.entries(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as { [Name in keyof T]?: string };
}
