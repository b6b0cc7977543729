import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder } from '@fjord/test-harness';
import { describe, expect, test } from 'vitest';
import { commitTable, openSqlCatalog } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, openWarehouse, reload } from '../warehouse.ts';

describe('the SQL catalog', () => {
  test('finds a namespace by itself and by those within it, and creates it once', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await Promise.all([catalog.createNamespace(['a', 'b']), catalog.createNamespace(['a', 'b'])]);
    await catalog.createNamespace(['a', 'b']);
    const exist = (...namespace: string[]) => catalog.namespaceExists(namespace);
    expect([await exist('a'), await exist('a', 'b'), await exist('A'), await exist('a_'), await exist('%')]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('keeps catalogs of different names apart in one file', async () => {
    await using warehouse = await openWarehouse();
    await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    await using other = await openSqlCatalog({ uri: warehouse.uri, warehouse: warehouse.path, name: 'other' });
    expect(await other.loadTable(ORDERS)).toBeUndefined();
    expect(await other.namespaceExists(['shop'])).toBe(false);
  });

  test('commits by compare and swap: an outdated base is a conflict, and its metadata file is removed', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    const base = await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    const set = (value: string) => ({
      requirements: [],
      updates: [{ action: 'set-properties' as const, updates: { value } }],
    });
    const committed = await catalog.commit(ORDERS, base, set('1'));
    expect(committed.metadataLocation).toMatch(/\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/);
    await expect(catalog.commit(ORDERS, base, set('2'))).rejects.toMatchObject({ code: 'commit_conflict' });
    expect((await reload(catalog)).metadata.properties).toEqual({ value: '1' });
  });

  test.each([
    ['keeps', {}, true],
    ['deletes', { 'write.metadata.delete-after-commit.enabled': 'true' }, false],
  ])('bounds the metadata log and %s what falls off', async (_what, extra, isKept) => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    const properties = { 'write.metadata.previous-versions-max': '2', ...extra };
    const first = await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties });
    const locations = [first.metadataLocation];
    for (let round = 0; round < 4; round++) {
      const table = await commitTable(catalog, ORDERS, () => {
        return { requirements: [], updates: [{ action: 'set-properties', updates: { round: String(round) } }] };
      });
      locations.push(table.metadataLocation);
    }
    const { metadata } = await reload(catalog);
    expect(metadata['metadata-log'].map((entry) => entry['metadata-file'])).toEqual(locations.slice(2, 4));
    const exist = await Promise.all(locations.map((location) => first.io.exists(location)));
    expect(exist).toEqual([isKept, isKept, true, true, true]);
  });

  test('adds the type column to a catalog of the older layout', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/old.db`;
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
      table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
      PRIMARY KEY (catalog_name, table_namespace, table_name))`);
    old.close();
    await using catalog = await openSqlCatalog({ uri: path, warehouse: folder.path });
    await catalog.createNamespace(['shop']);
    await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    expect(await catalog.listTables(['shop'])).toEqual([ORDERS]);
  });

  test('reads escapes in its URI as SQLAlchemy does', async () => {
    await using folder = await temporaryFolder();
    await using catalog = await openSqlCatalog({
      uri: `sqlite:///${folder.path}/50%25%20%3F.db`,
      warehouse: folder.path,
    });
    await catalog.createNamespace(['shop']);
    const database = new DatabaseSync(`${folder.path}/50% ?.db`);
    expect(database.prepare('SELECT namespace FROM iceberg_namespace_properties').all()).toEqual([
      { namespace: 'shop' },
    ]);
    database.close();
  });

  test('refuses other databases without repeating their URI', async () => {
    await expect(openSqlCatalog({ uri: 'oracle://u:secret@h/db', warehouse: '/w' })).rejects.toMatchObject({
      code: 'unsupported',
      message: 'A catalog at "oracle:…" is not supported; use postgresql://, mysql:// or sqlite:///path.',
    });
  });
});
