import {
  type PostgresServer,
  type TemporaryFolder,
  startPostgres,
  startTcpProxy,
  temporaryFolder,
} from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { ODD_NAMES, describeCatalog } from './contract.ts';

let server: PostgresServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  [server, folder] = await Promise.all([startPostgres({ databases: ['catalog'] }), temporaryFolder()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const open = () => openCatalog({ type: 'sql', uri: server.connectionString, warehouse: folder.path });

describeCatalog('a catalog in PostgreSQL', () => ({ open, isNested: true, oddNames: ODD_NAMES }));

test('many who open an empty database at once all make its tables, or find them', async () => {
  await server.query('CREATE DATABASE fresh', [], 'postgres');
  const uri = server.connectionString.replace(/catalog$/, 'fresh');
  const catalogs = await Promise.all(
    Array.from({ length: 6 }, () => openCatalog({ type: 'sql', uri, warehouse: folder.path })),
  );
  const found = await Promise.all(catalogs.map((catalog) => catalog.namespaceExists(['shop'])));
  expect(found).toEqual(Array.from({ length: 6 }, () => false));
  await Promise.all(catalogs.map((catalog) => catalog[Symbol.asyncDispose]()));
});

test('a wrong password is told without the address or the password', async () => {
  const uri = server.connectionString.replace(server.password, 'wrong-secret');
  await expect(openCatalog({ type: 'sql', uri, warehouse: folder.path })).rejects.toMatchObject({
    code: 'catalog_refused',
    message: "The catalog's PostgreSQL database could not be used (28P01).",
  });
});

test('a commit whose answer is lost with the connection is found in the table, and not made again', async () => {
  await using proxy = await startTcpProxy(server);
  await using direct = await open();
  await using catalog = await openCatalog({
    type: 'sql',
    uri: server.connectionString.replace(`:${server.port}/`, `:${proxy.port}/`),
    warehouse: folder.path,
  });
  await catalog.createNamespace(ORDERS.namespace);
  const base = await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  // The answer is under way for so long that the commit is seen by another way first, and then it is cut off.
  proxy.delayMs = 1000;
  let builds = 0;
  const commit = commitTable(
    catalog,
    ORDERS,
    (table) => {
      builds++;
      return stageSnapshot(table, { append: [dataFile('a')] });
    },
    { base },
  );
  await expect
    .poll(async () => (await reload(direct)).metadata.snapshots.length, { timeout: 30_000, interval: 20 })
    .toBe(1);
  proxy.delayMs = 0;
  proxy.cut();
  const table = await commit;
  expect(proxy.cuts).toBeGreaterThan(0);
  expect(builds).toBe(1);
  expect(table.metadata.snapshots).toHaveLength(1);
  expect((await Array.fromAsync(planFiles(table))).map(({ file }) => file.filePath)).toEqual(['/data/a']);
});
