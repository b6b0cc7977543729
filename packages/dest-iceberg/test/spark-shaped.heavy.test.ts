import type { Column } from '@fjord/core';
import { readWithSpark, runSpark, sortRows, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { encodeChanges, orderKey } from './changes/change-log.ts';
import { Lake } from './write-process.ts';

const BEFORE: Column[] = [
  { id: '7.1', name: 'id', type: 'long', nullable: false },
  { id: '7.2', name: 'name', type: 'string', nullable: true },
];
const AFTER: Column[] = [BEFORE[0]!, { ...BEFORE[1]!, name: 'title' }];

test('Spark reads a sorted table whose files were written anew and whose column was renamed, now and as it was', async () => {
  await using folder = await temporaryFolder('fjord-spark-shaped');
  const lake = new Lake(folder.path);
  const layout = { sort: ['name desc'], changes: { deleteFiles: 'copy-on-write' as const, metadataColumns: false } };
  await using write = lake.write({ writeMode: 'upsert', columns: BEFORE, layout });
  await write.started();
  write.begin(null).rows([1, 6], 'a').end('a').state('copied');
  await write.durable('copied');
  write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
  const first = (await lake.table())!.metadata['current-snapshot-id'];
  const early = encodeChanges(BEFORE, [{ op: 'u', row: { id: 2, name: 'z' } }], 1);
  write.batch(early.rows, early.body).schema(2, AFTER);
  const late = encodeChanges(
    AFTER,
    [
      { op: 'd', row: { id: 3, title: null } },
      { op: 'c', row: { id: 7, title: 'y' } },
    ],
    2,
  );
  write.batch(late.rows, late.body, 2).complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const metadataLocation = (await lake.table())!.metadataLocation.replace('file://', '');
  const { columns, rows } = await readWithSpark({ metadataLocation });
  expect(columns.map(({ name }) => name)).toEqual(['id', 'title']);
  expect(sortRows(rows)).toEqual([
    ['1', 'n1'],
    ['2', 'z'],
    ['4', 'n4'],
    ['5', 'n5'],
    ['6', 'n6'],
    ['7', 'y'],
  ]);
  const { stdout } = await runSpark(
    `import json, sys
old = spark.read.format('iceberg').option('snapshot-id', sys.argv[2]).load(sys.argv[1])
print(json.dumps([old.columns, sorted([list(row) for row in old.collect()])]))`,
    [metadataLocation, String(first)],
  );
  const names = [1, 2, 3, 4, 5, 6].map((id) => [id, `n${id}`]);
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual([['id', 'name'], names]);
});

test('Spark reads plain Parquet files without any table, partitions and uuids as well', async () => {
  await using folder = await temporaryFolder('fjord-spark-plain');
  const lake = new Lake(folder.path);
  const columns: Column[] = [...BEFORE, { name: 'key', type: 'uuid', nullable: true }];
  await using write = lake.write({ columns, config: { format: 'parquet' }, layout: { partition: ['bucket(2, id)'] } });
  const rows = [1, 2, 3, 4].map((id) => ({ id, name: `n${id}`, key: `00000000-0000-4000-8000-00000000000${id}` }));
  write.begin(null).records('a', rows).end('a').complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const { stdout } = await runSpark(
    `import json, sys
rows = spark.read.parquet(sys.argv[1]).selectExpr('id', 'name', 'hex(key)').collect()
print(json.dumps(sorted([list(row) for row in rows])))`,
    [`${folder.path}/lake/db/s`],
  );
  const expected = rows.map(({ id, name, key }) => [id, name, key.replaceAll('-', '').toUpperCase()]);
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual(expected);
});
