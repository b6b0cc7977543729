import { randomUUID } from 'node:crypto';
import type { Problem } from '@fjord/core';
import { openFileIO } from '@fjord/iceberg';
import type { Config } from './config.ts';
import { toConnectorError } from './iceberg-errors.ts';
import { openWarehouse, type Warehouse } from './open-warehouse.ts';

/** Tries what `write` will need: the catalog opens, and the storage takes, gives back and deletes a file. All problems at once. */
export async function findProblems(config: Config): Promise<Problem[]> {
  let warehouse: Warehouse;
  try {
    warehouse = await openWarehouse(config);
  } catch (thrown) {
    return [problemOf(thrown, 'Give a folder that this user may write to.')];
  }
  const storage = await tryAll(() => probeStorage(warehouse), 'Give this user read and write rights on the warehouse.');
  const catalog = await tryAll(async () => {
    await using open = warehouse.catalog;
    await open.listTables(['fjord']);
  }, 'Make the catalog file readable and writable for this user.');
  return [...storage, ...catalog];
}

async function probeStorage({ location, io: properties }: Warehouse): Promise<void> {
  const io = openFileIO(location, properties);
  const probe = `${location}/.fjord-check-${randomUUID()}`;
  await io.write(probe, Buffer.from('fjord check'));
  await io.delete(probe);
}

async function tryAll(work: () => Promise<void>, fix: string): Promise<Problem[]> {
  try {
    await work();
    return [];
  } catch (thrown) {
    return [problemOf(thrown, fix)];
  }
}

function problemOf(thrown: unknown, fix: string): Problem {
  const { code, message, help } = toConnectorError(thrown);
  return { code, message, fix: code === 'config_invalid' ? help : fix };
}
