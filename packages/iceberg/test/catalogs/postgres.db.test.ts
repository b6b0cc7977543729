import { type PostgresServer, type TemporaryFolder, startPostgres, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../src/index.ts';
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
    code: 'catalog_failed',
    message: "The catalog's PostgreSQL database could not be used (28P01).",
  });
});
