import { runSpark, temporaryFolder } from '@fjord/test-harness';
import { Int64, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import { commitTable, openSqlCatalog, stageSnapshot, stageSwap } from '../../src/index.ts';
import { writeParquet } from '../parquet-file.ts';
import { ORDER_SCHEMA } from '../warehouse.ts';

const NAMES = ['orders', 'My "Orders"', '🐟 50%/a#b?c'];

test('Spark reads appended, rewritten and swapped tables at file:///, in folders and with names of any characters', async () => {
  await using folder = await temporaryFolder();
  const warehouse = `${folder.path}/my data%20ü`;
  await using catalog = await openSqlCatalog({ uri: `${folder.path}/catalog.db`, warehouse });
  await catalog.createNamespace(['shop']);
  const locations: string[] = [];
  for (const name of NAMES) {
    const identifier = { namespace: ['shop'], name };
    await catalog.createTable(identifier, { schema: ORDER_SCHEMA });
    const append = (id: bigint, branch?: string) =>
      commitTable(catalog, identifier, async (table) => {
        const columns = [
          { id: 1, name: 'id', type: new Int64(), values: [id] },
          { id: 2, name: 'name', type: new Utf8(), values: [name] },
        ];
        return stageSnapshot(table, { append: [await writeParquet(table, `f${id}`, columns)], branch });
      });
    await append(1n);
    await append(2n, 'stage');
    await commitTable(catalog, identifier, (table) => stageSwap(table, { branch: 'stage', remove: 'all' }));
    await append(3n);
    await append(4n);
    const table = await commitTable(catalog, identifier, (now) =>
      stageSnapshot(now, { remove: (file) => file.filePath.endsWith('/f3.parquet') }),
    );
    locations.push(table.metadataLocation);
  }
  const read = `
import json, sys
load = lambda location, name='': spark.read.format('iceberg').load(location + name)
for location in sys.argv[1:]:
    rows = [list(row) for row in load(location).orderBy('id').collect()]
    operations = [row.operation for row in load(location, '#snapshots').orderBy('committed_at').collect()]
    print(json.dumps([rows, operations]))`;
  const { stdout } = await runSpark(read, locations);
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const operations = ['append', 'overwrite', 'append', 'append', 'overwrite'];
  expect(results).toEqual(
    NAMES.map((name) => [
      [
        [2, name],
        [4, name],
      ],
      operations,
    ]),
  );
});
