import { describe, expect, test } from 'vitest';
import { type Catalog, IcebergError, commitTable, openSqlCatalog, planFiles, stageSnapshot } from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

const QUICK = { firstDelayMs: 1, maxDelayMs: 2 };

/** The catalog with another `commit`: a real one whose answers are lost or late. */
function withCommit(catalog: Catalog, commit: Catalog['commit']): Catalog {
  return {
    commit,
    createNamespace: (namespace) => catalog.createNamespace(namespace),
    namespaceExists: (namespace) => catalog.namespaceExists(namespace),
    listTables: (namespace) => catalog.listTables(namespace),
    loadTable: (identifier) => catalog.loadTable(identifier),
    createTable: (identifier, creation) => catalog.createTable(identifier, creation),
    dropTable: (identifier) => catalog.dropTable(identifier),
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}

async function openOrders() {
  const warehouse = await openWarehouse();
  await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  return warehouse;
}

async function fileNames(catalog: Catalog): Promise<string[]> {
  const files = await Array.fromAsync(planFiles(await reload(catalog)));
  return files.map(({ file }) => file.filePath).toSorted();
}

describe('two committers', () => {
  test('lose nothing when they commit to one table at the same time', async () => {
    await using warehouse = await openOrders();
    await using other = await openSqlCatalog({ uri: warehouse.uri, warehouse: warehouse.path });
    const append = async (catalog: Catalog, prefix: string) => {
      for (let index = 0; index < 10; index++) {
        const name = `${prefix}${index}`;
        await commitTable(
          catalog,
          ORDERS,
          (table) => stageSnapshot(table, { append: [dataFile(name)], properties: { [name]: 'done' } }),
          QUICK,
        );
      }
    };
    await Promise.all([append(warehouse.catalog, 'a'), append(other, 'b')]);
    const names = ['a', 'b'].flatMap((prefix) => Array.from({ length: 10 }, (_, index) => `${prefix}${index}`));
    expect(await fileNames(warehouse.catalog)).toEqual(names.map((name) => `/data/${name}`));
    const { metadata } = await reload(warehouse.catalog);
    expect(metadata.properties).toEqual(Object.fromEntries(names.map((name) => [name, 'done'])));
    expect(metadata['last-sequence-number']).toBe(20n);
  });

  test('conflict: the later one stages anew on what the first committed, and leaves no files behind', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    const written: string[][] = [];
    const table = await commitTable(
      catalog,
      ORDERS,
      async (seen) => {
        const staged = await stageSnapshot(seen, { append: [dataFile('late')] });
        written.push([...staged.written]);
        if (written.length === 1)
          await commitTable(catalog, ORDERS, (now) => stageSnapshot(now, { append: [dataFile('first')] }));
        return staged;
      },
      QUICK,
    );
    expect(await fileNames(catalog)).toEqual(['/data/first', '/data/late']);
    expect(written).toHaveLength(2);
    const exist = (locations: string[] = []) => Promise.all(locations.map((location) => table.io.exists(location)));
    expect(await exist(written[0])).toEqual([false, false]);
    expect(await exist(written[1])).toEqual([true, true]);
  });

  test('may be given an outdated table to begin with', async () => {
    await using warehouse = await openOrders();
    const base = await reload(warehouse.catalog);
    await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('a')] }));
    await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('b')] }), {
      ...QUICK,
      base,
    });
    expect(await fileNames(warehouse.catalog)).toEqual(['/data/a', '/data/b']);
  });
});

describe('an unknown outcome', () => {
  test.each([
    ['a snapshot', { append: [dataFile('a')] }],
    ['a property', { properties: { state: '1' } }],
  ])('is read back: %s that was committed is not committed twice', async (_what, changes) => {
    await using warehouse = await openOrders();
    let commits = 0;
    const catalog = withCommit(warehouse.catalog, async (...request) => {
      commits++;
      const { metadataLocation } = await warehouse.catalog.commit(...request);
      throw new IcebergError('commit_state_unknown', 'The connection was lost.', { metadataLocation });
    });
    const table = await commitTable(catalog, ORDERS, (seen) => stageSnapshot(seen, changes), QUICK);
    expect(commits).toBe(1);
    expect(table.metadata['metadata-log']).toHaveLength(1);
  });

  test('is found even if others have committed since and the catalog names no metadata file', async () => {
    await using warehouse = await openOrders();
    let commits = 0;
    const catalog = withCommit(warehouse.catalog, async (...request) => {
      commits++;
      await warehouse.catalog.commit(...request);
      await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('other')] }));
      throw new IcebergError('commit_state_unknown', 'The connection was lost.');
    });
    await commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('mine')] }), QUICK);
    expect(commits).toBe(1);
    expect(await fileNames(warehouse.catalog)).toEqual(['/data/mine', '/data/other']);
  });

  test('is tried again if the commit is not found, and no file is deleted', async () => {
    await using warehouse = await openOrders();
    const written: string[] = [];
    let commits = 0;
    const catalog = withCommit(warehouse.catalog, async (...request) => {
      if (++commits > 1) return warehouse.catalog.commit(...request);
      throw new IcebergError('commit_state_unknown', 'The connection was lost.');
    });
    const table = await commitTable(
      catalog,
      ORDERS,
      async (seen) => {
        const staged = await stageSnapshot(seen, { append: [dataFile('a')] });
        written.push(...staged.written);
        return staged;
      },
      QUICK,
    );
    expect(await fileNames(warehouse.catalog)).toEqual(['/data/a']);
    expect(await Promise.all(written.map((location) => table.io.exists(location)))).toEqual([true, true, true, true]);
  });
});

describe('commitTable', () => {
  test('stops when there is nothing to do, when build throws, and when attempts are used up', async () => {
    await using warehouse = await openOrders();
    const before = await reload(warehouse.catalog);
    expect((await commitTable(warehouse.catalog, ORDERS, () => undefined)).metadataLocation).toBe(
      before.metadataLocation,
    );
    const fenced = new Error('fenced');
    await expect(commitTable(warehouse.catalog, ORDERS, () => Promise.reject(fenced))).rejects.toBe(fenced);
    let builds = 0;
    const conflicting = commitTable(
      warehouse.catalog,
      ORDERS,
      () => {
        builds++;
        return { updates: [], requirements: [{ type: 'assert-current-schema-id', 'current-schema-id': 9 }] };
      },
      { ...QUICK, maxAttempts: 3 },
    );
    await expect(conflicting).rejects.toMatchObject({ code: 'commit_conflict' });
    expect(builds).toBe(3);
  });

  test('names a table that does not exist', async () => {
    await using warehouse = await openWarehouse();
    await expect(commitTable(warehouse.catalog, ORDERS, () => undefined)).rejects.toMatchObject({
      code: 'no_such_table',
      message: 'Table "shop.orders" does not exist.',
    });
  });
});
