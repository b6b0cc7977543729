import { runSpark, temporaryFolder } from '@fjord/test-harness';
import { Int64, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { writeParquet } from '../parquet-file.ts';
import { ORDERS, ORDER_SCHEMA, reload } from '../warehouse.ts';

test("Iceberg's HadoopCatalog in Spark and ours append to one folder in turn, and each sees the other", async () => {
  await using folder = await temporaryFolder();
  await using catalog = await openCatalog({ type: 'hadoop', warehouse: folder.path });
  await catalog.createNamespace(ORDERS.namespace);
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  const append = (id: bigint) =>
    commitTable(catalog, ORDERS, async (table) => {
      const columns = [
        { id: 1, name: 'id', type: new Int64(), values: [id] },
        { id: 2, name: 'name', type: new Utf8(), values: ['ours'] },
      ];
      return stageSnapshot(table, { append: [await writeParquet(table, `f${id}`, columns)] });
    });
  await append(1n);
  const code = `
import json, sys
spark.conf.set('spark.sql.catalog.lake', 'org.apache.iceberg.spark.SparkCatalog')
spark.conf.set('spark.sql.catalog.lake.type', 'hadoop')
spark.conf.set('spark.sql.catalog.lake.warehouse', sys.argv[1])
spark.sql("INSERT INTO lake.shop.orders VALUES (2, 'theirs')")
spark.sql("CREATE TABLE lake.shop.made_by_spark (id bigint) USING iceberg")
print(json.dumps([list(row) for row in spark.sql('SELECT * FROM lake.shop.orders ORDER BY id').collect()]))`;
  const { stdout } = await runSpark(code, [`file://${folder.path}`]);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual([
    [1, 'ours'],
    [2, 'theirs'],
  ]);
  await append(3n);
  const table = await reload(catalog);
  expect(table.metadataLocation).toMatch(/\/v4\.metadata\.json$/);
  expect(await Array.fromAsync(planFiles(table))).toHaveLength(3);
  expect((await catalog.listTables(ORDERS.namespace)).map(({ name }) => name)).toEqual(['made_by_spark', 'orders']);
});
