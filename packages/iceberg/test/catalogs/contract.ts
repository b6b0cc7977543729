import { describe, expect, test } from 'vitest';
import {
  type Catalog,
  type TableIdentifier,
  IcebergError,
  commitTable,
  createSchema,
  planFiles,
  stageSnapshot,
} from '../../src/index.ts';
import { ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';

/** What differs between catalogs that all keep the same contract. */
export interface CatalogUnderTest {
  /** Opens the catalog anew, as another process would. */
  open(): Promise<Catalog>;
  /** Whether namespaces may have several levels. */
  isNested: boolean;
  /** Names that the catalog takes beside plain ones. */
  oddNames: readonly TableIdentifier[];
}

/** Names that need care somewhere: in SQL, in URLs, in paths. */
export const ODD_NAMES: readonly TableIdentifier[] = [
  { namespace: ['My Shop'], name: 'Order Items' },
  { namespace: ["o'clock"], name: 'say "hi"' },
  { namespace: ['größe'], name: '🐟 table' },
  { namespace: ['50%'], name: 'a/b?c#d&e=f:g\\h' },
];

const QUICK = { firstDelayMs: 5, maxDelayMs: 200, maxAttempts: 100 };

let lastName = 0;

/** The contract of Catalog, tested with whatever server is behind; each test has a table of its own. */
export function describeCatalog(what: string, catalogUnderTest: () => CatalogUnderTest): void {
  const inNamespace = async (work: (catalog: Catalog, identifier: TableIdentifier) => Promise<void>) => {
    await using catalog = await catalogUnderTest().open();
    await catalog.createNamespace(['contract']);
    await work(catalog, { namespace: ['contract'], name: `orders_${++lastName}` });
  };

  describe(what, () => {
    test('creates, finds, lists, loads and drops tables', () =>
      inNamespace(async (catalog, orders) => {
        expect(await catalog.loadTable(orders)).toBeUndefined();
        const created = await catalog.createTable(orders, { schema: ORDER_SCHEMA, properties: { a: '1' } });
        expect(created.metadata.properties).toMatchObject({ a: '1' });
        const loaded = await reload(catalog, orders);
        expect(loaded.metadata['table-uuid']).toBe(created.metadata['table-uuid']);
        expect(loaded.metadataLocation).toBe(created.metadataLocation);
        expect(loaded.location).toBe(created.location);
        expect(loaded.metadata.schemas[0]?.fields.map(({ name, type, required }) => [name, type, required])).toEqual([
          ['id', 'long', true],
          ['name', 'string', false],
        ]);
        expect(await catalog.listTables(orders.namespace)).toContainEqual(orders);
        await catalog.dropTable(orders);
        expect(await catalog.loadTable(orders)).toBeUndefined();
        expect(await catalog.listTables(orders.namespace)).not.toContainEqual(orders);
        await expect(catalog.dropTable(orders)).rejects.toMatchObject({ code: 'no_such_table' });
      }));

    test('knows its namespaces and makes each once', async () => {
      await using catalog = await catalogUnderTest().open();
      expect(await catalog.namespaceExists(['not_there'])).toBe(false);
      expect(await catalog.listTables(['not_there'])).toEqual([]);
      expect(await catalog.loadTable({ namespace: ['not_there'], name: 'x' })).toBeUndefined();
      await Promise.all([catalog.createNamespace(['once']), catalog.createNamespace(['once'])]);
      await catalog.createNamespace(['once']);
      expect(await catalog.namespaceExists(['once'])).toBe(true);
      expect(await catalog.listTables(['once'])).toEqual([]);
    });

    test('has namespaces in namespaces, or says that it has none', async () => {
      await using catalog = await catalogUnderTest().open();
      const nested = { namespace: ['outer', 'inner'], name: 'deep' };
      if (!catalogUnderTest().isNested) {
        await expect(catalog.createNamespace(nested.namespace)).rejects.toMatchObject({ code: 'invalid_argument' });
        return;
      }
      await catalog.createNamespace(nested.namespace);
      expect(await catalog.namespaceExists(['outer'])).toBe(true);
      expect(await catalog.namespaceExists(nested.namespace)).toBe(true);
      await catalog.createTable(nested, { schema: ORDER_SCHEMA });
      expect(await catalog.listTables(nested.namespace)).toEqual([nested]);
      expect(await catalog.listTables(['outer'])).toEqual([]);
      await catalog.dropTable(nested);
    });

    test('refuses a table twice, and one in a namespace that does not exist', () =>
      inNamespace(async (catalog, orders) => {
        await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        await expect(catalog.createTable(orders, { schema: ORDER_SCHEMA })).rejects.toMatchObject({
          code: 'table_exists',
        });
        const lost = { namespace: ['nowhere'], name: 'x' };
        await expect(catalog.createTable(lost, { schema: ORDER_SCHEMA })).rejects.toMatchObject({
          code: 'no_such_namespace',
        });
      }));

    test('lets one of many creators win', () =>
      inNamespace(async (catalog, orders) => {
        const attempts = Array.from({ length: 4 }, () => catalog.createTable(orders, { schema: ORDER_SCHEMA }));
        const outcomes = await Promise.allSettled(attempts);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
        expect(reasons).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ code: 'table_exists' })));
      }));

    test('commits on top of what was loaded, and conflicts with what came since', () =>
      inNamespace(async (catalog, orders) => {
        const base = await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        const set = (value: string) => ({
          requirements: [],
          updates: [{ action: 'set-properties' as const, updates: { value } }],
        });
        const first = await catalog.commit(orders, base, set('1'));
        expect(first.metadata.properties).toMatchObject({ value: '1' });
        await expect(catalog.commit(orders, base, set('2'))).rejects.toMatchObject({ code: 'commit_conflict' });
        expect((await reload(catalog, orders)).metadata.properties).toMatchObject({ value: '1' });
        const second = await catalog.commit(orders, first, set('3'));
        expect(second.metadata.properties).toMatchObject({ value: '3' });
        expect((await reload(catalog, orders)).metadataLocation).toBe(second.metadataLocation);
        const wrong = { type: 'assert-table-uuid' as const, uuid: '00000000-0000-0000-0000-000000000000' };
        await expect(catalog.commit(orders, second, { ...set('4'), requirements: [wrong] })).rejects.toMatchObject({
          code: 'commit_conflict',
        });
      }));

    test('conflicts with a table that was dropped and made anew', () =>
      inNamespace(async (catalog, orders) => {
        const base = await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        const staged = await stageSnapshot(base, { append: [dataFile('a')] });
        await catalog.dropTable(orders);
        await expect(catalog.commit(orders, base, staged)).rejects.toBeInstanceOf(IcebergError);
        await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        await expect(catalog.commit(orders, base, staged)).rejects.toMatchObject({ code: 'commit_conflict' });
      }));

    test('commits snapshots and schemas, with 64-bit ids exact', () =>
      inNamespace(async (catalog, orders) => {
        await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        const table = await commitTable(catalog, orders, (seen) => stageSnapshot(seen, { append: [dataFile('a')] }));
        const grown = createSchema([
          { name: 'id', type: 'long', required: true },
          { name: 'name', type: 'string' },
          { name: 'note', type: 'string' },
        ]);
        await commitTable(catalog, orders, () => ({
          requirements: [],
          updates: [
            { action: 'add-schema', schema: { ...grown, 'schema-id': 1 } },
            { action: 'set-current-schema', 'schema-id': -1 },
          ],
        }));
        const found = await reload(catalog, orders);
        expect(found.metadata['current-schema-id']).toBe(1);
        expect(found.metadata.refs['main']?.['snapshot-id']).toBe(table.metadata.refs['main']?.['snapshot-id']);
        const files = await Array.fromAsync(planFiles(found));
        expect(files.map(({ file }) => file.filePath)).toEqual(['/data/a']);
      }));

    test('loses nothing when two writers append and set properties at the same time', () =>
      inNamespace(async (catalog, orders) => {
        await using other = await catalogUnderTest().open();
        await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        const work = async (writer: Catalog, prefix: string) => {
          for (let index = 0; index < 5; index++) {
            const name = `${prefix}${index}`;
            await commitTable(writer, orders, (table) => stageSnapshot(table, { append: [dataFile(name)] }), QUICK);
            await commitTable(
              writer,
              orders,
              ({ metadata }) => {
                const count = String(Number(metadata.properties['count'] ?? 0) + 1);
                return { requirements: [], updates: [{ action: 'set-properties', updates: { count } }] };
              },
              QUICK,
            );
          }
        };
        await Promise.all([work(catalog, 'a'), work(other, 'b')]);
        const table = await reload(catalog, orders);
        const files = await Array.fromAsync(planFiles(table));
        expect(files.map(({ file }) => file.filePath).toSorted()).toEqual(
          ['a', 'b'].flatMap((prefix) => Array.from({ length: 5 }, (_, index) => `/data/${prefix}${index}`)),
        );
        expect(table.metadata.properties['count']).toBe('10');
      }));

    test('renames tables where it can', () =>
      inNamespace(async (catalog, orders) => {
        if (!catalog.renameTable) return;
        const created = await catalog.createTable(orders, { schema: ORDER_SCHEMA });
        const other = { ...orders, name: `${orders.name}_other` };
        const to = { ...orders, name: `${orders.name}_new` };
        await catalog.createTable(other, { schema: ORDER_SCHEMA });
        await expect(catalog.renameTable(orders, other)).rejects.toMatchObject({ code: 'table_exists' });
        await catalog.renameTable(orders, to);
        expect((await reload(catalog, to)).metadata['table-uuid']).toBe(created.metadata['table-uuid']);
        expect(await catalog.loadTable(orders)).toBeUndefined();
        await expect(catalog.renameTable(orders, to)).rejects.toBeInstanceOf(IcebergError);
      }));

    test('takes names of any characters that it allows', async () => {
      await using catalog = await catalogUnderTest().open();
      for (const identifier of catalogUnderTest().oddNames) {
        await catalog.createNamespace(identifier.namespace);
        await catalog.createTable(identifier, { schema: ORDER_SCHEMA });
        await commitTable(catalog, identifier, (table) => stageSnapshot(table, { append: [dataFile('a')] }));
        expect(await catalog.listTables(identifier.namespace)).toEqual([identifier]);
        const files = await Array.fromAsync(planFiles(await reload(catalog, identifier)));
        expect(files).toHaveLength(1);
      }
    });
  });
}
