import { type MariaDBServer, type TemporaryFolder, startMariaDB, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../src/index.ts';
import { ORDER_SCHEMA } from '../warehouse.ts';
import { ODD_NAMES, describeCatalog } from './contract.ts';
import { appendWithPyIceberg } from './pyiceberg.ts';

let server: MariaDBServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  [server, folder] = await Promise.all([startMariaDB(), temporaryFolder()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const open = () => openCatalog({ type: 'sql', uri: server.connectionString, warehouse: folder.path });

describeCatalog('a catalog in MariaDB', () => ({ open, isNested: true, oddNames: ODD_NAMES }));

test('names that differ by case or accents are different tables', async () => {
  await using catalog = await open();
  await catalog.createNamespace(['case']);
  for (const name of ['orders', 'Orders', 'örders']) {
    await catalog.createTable({ namespace: ['case'], name }, { schema: ORDER_SCHEMA });
  }
  await catalog.dropTable({ namespace: ['case'], name: 'Orders' });
  const left = await catalog.listTables(['case']);
  expect(left.map(({ name }) => name)).toEqual(['orders', 'örders']);
});

test('PyIceberg appends to our table in MariaDB, and we see it', async () => {
  await using catalog = await open();
  const uri = server.connectionString.replace('mysql:', 'mysql+pymysql:');
  await appendWithPyIceberg(catalog, { type: 'sql', uri });
});
