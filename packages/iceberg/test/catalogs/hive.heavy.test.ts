import { type HiveMetastore, runSpark, startHiveMetastore } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { describeCatalog } from './contract.ts';

let metastore: HiveMetastore;

beforeAll(async () => {
  metastore = await startHiveMetastore();
});
afterAll(() => metastore[Symbol.asyncDispose]());

const open = () => openCatalog({ type: 'hive', uri: metastore.uri, warehouse: metastore.warehouse });

describeCatalog('a Hive metastore', () => ({ open, isNested: false, oddNames: [] }));

describe("a Hive metastore and Iceberg's HiveCatalog in Spark", () => {
  test('append to one table in turn, and each sees the other', async () => {
    await using catalog = await open();
    const orders = { namespace: ['foreign'], name: 'orders' };
    await catalog.createNamespace(orders.namespace);
    await catalog.createTable(orders, { schema: ORDER_SCHEMA });
    const code = `
import json, sys
spark.conf.set('spark.sql.catalog.hive', 'org.apache.iceberg.spark.SparkCatalog')
spark.conf.set('spark.sql.catalog.hive.type', 'hive')
spark.conf.set('spark.sql.catalog.hive.uri', sys.argv[1])
spark.sql("INSERT INTO hive.foreign.orders VALUES (1, 'theirs'), (2, 'theirs')")
spark.sql("CREATE TABLE hive.foreign.made_by_spark (id bigint, name string) USING iceberg")
spark.sql("INSERT INTO hive.foreign.made_by_spark VALUES (7, 'x')")
print(json.dumps([list(row) for row in spark.sql('SELECT * FROM hive.foreign.orders ORDER BY id').collect()]))`;
    const { stdout } = await runSpark(code, [metastore.uri]);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual([
      [1, 'theirs'],
      [2, 'theirs'],
    ]);
    for (const name of ['orders', 'made_by_spark']) {
      const identifier = { ...orders, name };
      await commitTable(catalog, identifier, (table) => stageSnapshot(table, { append: [dataFile('ours')] }));
      const files = await Array.fromAsync(planFiles(await reload(catalog, identifier)));
      expect(files.map(({ file }) => file.filePath)).toContain('/data/ours');
      expect(files.length).toBeGreaterThan(1);
    }
    expect(await catalog.listTables(['foreign'])).toEqual([{ ...orders, name: 'made_by_spark' }, orders]);
  });
});
