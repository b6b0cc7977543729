import { type HiveMetastore, startHiveMetastore } from '@fjord/test-harness';
import { afterAll, beforeAll } from 'vitest';
import { openCatalog } from '../../src/index.ts';
import { describeCatalog } from './contract.ts';

let metastore: HiveMetastore;

beforeAll(async () => {
  metastore = await startHiveMetastore('4.0.1');
});
afterAll(() => metastore[Symbol.asyncDispose]());

describeCatalog('a Hive metastore that compares by itself, without locks', () => ({
  open: () => openCatalog({ type: 'hive', uri: metastore.uri, warehouse: metastore.warehouse, locks: false }),
  isNested: false,
  oddNames: [],
}));
