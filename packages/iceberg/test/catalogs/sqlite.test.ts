import { temporaryFolder, type TemporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll } from 'vitest';
import { openCatalog } from '../../src/index.ts';
import { ODD_NAMES, describeCatalog } from './contract.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describeCatalog('a catalog in SQLite', () => ({
  open: () => openCatalog({ type: 'sql', uri: `sqlite:///${folder.path}/catalog.db`, warehouse: folder.path }),
  isNested: true,
  oddNames: ODD_NAMES,
}));
