import { readdir, readFile, writeFile } from 'node:fs/promises';
import { temporaryFolder, type TemporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commitTable, openCatalog, stageSnapshot } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { describeCatalog } from './contract.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const open = () => openCatalog({ type: 'hadoop', warehouse: folder.path });

describeCatalog('a catalog in a folder', () => ({
  open,
  isNested: true,
  oddNames: [
    { namespace: ['My Shop'], name: 'Order Items' },
    { namespace: ["o'clock"], name: '🐟 größe 50%' },
  ],
}));

test('numbers its metadata files, and finds the newest with a hint that is old, broken or gone', async () => {
  await using catalog = await open();
  await catalog.createNamespace(ORDERS.namespace);
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  await commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('a')] }));
  const metadata = `${folder.path}/shop/orders/metadata`;
  const hint = `${metadata}/version-hint.text`;
  const versions = (await readdir(metadata)).filter((name) => name.endsWith('.json')).toSorted();
  expect(versions).toEqual(['v1.metadata.json', 'v2.metadata.json']);
  expect(await readFile(hint, 'utf8')).toBe('2');
  for (const text of ['1', '', 'x', '7']) {
    await writeFile(hint, text);
    expect((await reload(catalog)).metadataLocation).toBe(`file://${metadata}/v2.metadata.json`);
  }
});

test('of two writers who make the same change in the same millisecond one conflicts', async () => {
  await using catalog = await open();
  await using other = await open();
  const identifier = { ...ORDERS, name: 'counted' };
  await catalog.createNamespace(ORDERS.namespace);
  await catalog.createTable(identifier, { schema: ORDER_SCHEMA });
  const base = await reload(catalog, identifier);
  const changes = { requirements: [], updates: [{ action: 'set-properties', updates: { count: '1' } }] } as const;
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const commits = [catalog, other].map((writer) => writer.commit(identifier, base, changes));
    const outcomes = await Promise.allSettled(commits);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({ reason: { code: 'commit_conflict' } });
  } finally {
    vi.useRealTimers();
  }
});

test.each(['a/b', '', '.hidden', '..', '_x', 'a:b', 'a\\b', ' a'])(
  'refuses the name "%s", which would lead elsewhere or be hidden',
  async (name) => {
    await using catalog = await open();
    await expect(catalog.loadTable({ namespace: ['shop'], name })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid_argument' });
  },
);

test('refuses a table at a place of its own', async () => {
  await using catalog = await open();
  await catalog.createNamespace(ORDERS.namespace);
  const elsewhere = catalog.createTable({ ...ORDERS, name: 'x' }, { schema: ORDER_SCHEMA, location: '/elsewhere' });
  await expect(elsewhere).rejects.toMatchObject({ code: 'invalid_argument' });
});
