import { readFile } from 'node:fs/promises';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '@fjord/iceberg';
import { runSpark, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

const EVENTS = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'at', type: 'timestamptz', nullable: true },
];

test('Spark finds the rows of a partitioned table by its partitions alone', async () => {
  await using folder = await temporaryFolder('fjord-spark-tables');
  const open = new Lake(folder.path);
  await using write = open.write(
    { columns: EVENTS, layout: { partition: ['day(at)', 'bucket(4, id)'] } },
    '--memory',
    '1',
  );
  const rows = Array.from({ length: 400 }, (_, id) => ({
    id: String(id),
    at: id % 50 === 0 ? null : `2024-06-${String(1 + (id % 20)).padStart(2, '0')}T10:00:00Z`,
  }));
  write.begin(null).records('a', rows).end('a').complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const table = (await open.table())!;
  const files = await Array.fromAsync(planFiles(table));
  // 2024-06-03 in days since 1970: the day's files, and no others, are read.
  const inDayFiles = files.filter(({ file }) => file.partition?.get(1000) === 19_877).length;
  expect(inDayFiles).toBeLessThan(files.length / 10);
  const script = `
import json, sys
table = spark.read.format('iceberg').load(sys.argv[1])
day = table.where("at >= '2024-06-03T00:00:00Z' and at < '2024-06-04T00:00:00Z'")
files = spark.read.format('iceberg').load(sys.argv[1] + '#files')
partitions = {r.file_path: (str(r.partition.at_day), r.partition.id_bucket_4) for r in files.collect()}
from pyspark.sql.functions import input_file_name
read = {r.path for r in day.select(input_file_name().alias('path')).distinct().collect()}
print(json.dumps({'rows': table.count(), 'day': day.count(), 'one': table.where('id = 17').count(), 'nulls': table.where('at is null').count(),
  'files': len(partitions), 'read': len(read), 'days': sorted({d for d, _ in partitions.values()})[:3]}))`;
  const { stdout } = await runSpark(script, [table.metadataLocation]);
  const inDay = rows.filter(({ at }) => at?.startsWith('2024-06-03')).length;
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
    rows: 400,
    day: inDay,
    one: 1,
    nulls: 8,
    read: inDayFiles,
    files: files.length,
    days: ['2024-06-01', '2024-06-02', '2024-06-03'],
  });
});

test('a table that Spark made, with position deletes, an evolved schema and spec, is planned and appended to', async () => {
  await using folder = await temporaryFolder('fjord-spark-tables');
  const setup = `
import json, sys
spark.conf.set('spark.sql.catalog.hc', 'org.apache.iceberg.spark.SparkCatalog')
spark.conf.set('spark.sql.catalog.hc.type', 'hadoop')
spark.conf.set('spark.sql.catalog.hc.warehouse', sys.argv[1])
sql = spark.sql`;
  await runSpark(
    `${setup}
sql("CREATE TABLE hc.db.s (id INT, name STRING) USING iceberg PARTITIONED BY (bucket(4, id)) TBLPROPERTIES ('format-version'='2', 'write.delete.mode'='merge-on-read')")
sql("INSERT INTO hc.db.s SELECT id, concat('n', id) FROM range(100)")
sql("DELETE FROM hc.db.s WHERE id % 10 = 3")
sql("ALTER TABLE hc.db.s ALTER COLUMN id TYPE bigint")
sql("ALTER TABLE hc.db.s ADD COLUMN more DOUBLE")
sql("INSERT INTO hc.db.s VALUES (1000, 'x', 1.5)")`,
    [folder.path],
  );
  await using catalog = await openCatalog({ type: 'hadoop', warehouse: folder.path });
  const identifier = { namespace: ['db'], name: 's' };
  const table = (await catalog.loadTable(identifier))!;
  const planned = await Array.fromAsync(planFiles(table));
  const rows = planned.reduce((sum, { file }) => sum + file.recordCount, 0n);
  const deleted = new Map(
    planned.flatMap(({ deletes }) => deletes.map((file) => [file.filePath, file.recordCount] as const)),
  );
  expect([rows, [...deleted.values()].reduce((sum, count) => sum + count, 0n)]).toEqual([101n, 10n]);
  const one = await Array.fromAsync(planFiles(table, { filter: { op: '=', column: 'id', value: 1000 } }));
  expect(one.map(({ file, deletes }) => [file.recordCount, deletes.length])).toEqual([[1n, 0]]);
  // A copy of the last file under another name: its rows come twice.
  const source = one[0]!.file;
  const copy = source.filePath.replace(/[^/]*$/, 'copy.parquet');
  await table.io.write(copy, await readFile(source.filePath.replace(/^file:(\/\/)?/, '')));
  await commitTable(catalog, identifier, (fresh) => stageSnapshot(fresh, { append: [{ ...source, filePath: copy }] }));
  const { stdout } = await runSpark(
    `${setup}
table = sql("SELECT count(*), sum(id), count(more) FROM hc.db.s").collect()[0]
print(json.dumps([table[0], table[1], table[2], sql("SELECT count(*) FROM hc.db.s WHERE id = 1000").collect()[0][0]]))`,
    [folder.path],
  );
  const kept = Array.from({ length: 100 }, (_, id) => id).filter((id) => id % 10 !== 3);
  const sum = kept.reduce((total, id) => total + id, 0) + 2000;
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual([92, sum, 2, 2]);
});
