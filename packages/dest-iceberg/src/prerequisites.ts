import { randomUUID } from 'node:crypto';
import { ERROR_CODES, type Problem } from '@fjord/core';
import { openFileIO } from '@fjord/iceberg';
import type { Config } from './config.ts';
import { toConnectorError } from './iceberg-errors.ts';
import { openWarehouse, type Warehouse } from './open-warehouse.ts';
import { MARKER_NAMESPACE } from './pipeline-state.ts';

type CatalogType = NonNullable<Config['catalog']>['type'];

/** What to look at, for each type of catalog, once it cannot be used. */
const CATALOG_FIXES: Readonly<Record<CatalogType, string>> = {
  sqlite: 'Make the catalog file and its folder readable and writable for this user.',
  postgres:
    'Check catalog.uri, and give its user CREATE on the schema or SELECT, INSERT, UPDATE and DELETE on the catalog tables.',
  mysql:
    'Check catalog.uri, and give its user CREATE on the database or SELECT, INSERT, UPDATE and DELETE on the catalog tables.',
  rest: 'Check catalog.uri, the token or credential, and that warehouse is one that the server knows.',
  glue: 'Allow glue:GetDatabase, CreateDatabase, GetTable, GetTables, CreateTable and UpdateTable; check region and catalogId.',
  hive: 'Check catalog.uri and that the metastore takes plain Thrift connections from this host.',
  hadoop: 'Give this user read and write rights on the warehouse.',
};

/** Tries what `write` will need: the catalog opens, and the storage takes, gives back, lists and deletes a file. All problems at once. */
export async function findProblems(config: Config): Promise<Problem[]> {
  const fix = CATALOG_FIXES[config.format === 'parquet' ? 'hadoop' : (config.catalog?.type ?? 'sqlite')];
  let warehouse: Warehouse;
  try {
    warehouse = await openWarehouse(config);
  } catch (thrown) {
    return [problemOf(thrown, fix)];
  }
  await using catalog = warehouse.catalog;
  const storage = await tryAll(
    () => probeStorage(warehouse),
    'Give this user read, write, list and delete rights on the warehouse.',
  );
  return [...storage, ...(await tryAll(() => catalog.listTables(MARKER_NAMESPACE), fix))];
}

/** Where the catalog alone knows the storage, and lends keys for it, there is nothing to try before there is a table. */
async function probeStorage({ location, io: properties }: Warehouse): Promise<void> {
  if (location === undefined) return;
  const io = openFileIO(location, properties);
  const folder = `${location}/.fjord-check-${randomUUID()}`;
  const probe = `${folder}/probe`;
  await io.write(probe, Buffer.from('fjord check'));
  await io.read(probe);
  for await (const _file of io.list(folder)) break;
  await io.delete(probe);
}

async function tryAll(work: () => Promise<unknown>, fix: string): Promise<Problem[]> {
  try {
    await work();
    return [];
  } catch (thrown) {
    return [problemOf(thrown, fix)];
  }
}

/** What the cause itself says to do, if it does; a wrong option and a missing package always do. */
function problemOf(thrown: unknown, fix: string): Problem {
  const { code, message, help } = toConnectorError(thrown);
  if (code === 'unsupported') return { code, message, fix: message };
  const isTold = code === 'config_invalid' || help !== ERROR_CODES[code].help;
  return { code, message, fix: isTold ? help : fix };
}
