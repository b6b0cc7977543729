import type { Column } from '@fjord/core';
import { bindTransform, decodeValue, planFiles, readManifestList, snapshotOfRef, type Table } from '@fjord/iceberg';
import { readWithDuckDB, runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

const EVENTS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'at', type: 'timestamptz', nullable: true },
  { name: 'name', type: 'string', nullable: true },
];
const DAYS = 30;

/** Rows whose days come in no order; every 101st has none. */
function events(from: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = from + index;
    const day = String(((id * 7) % DAYS) + 1).padStart(2, '0');
    return { id: String(id), at: id % 101 === 0 ? null : `2024-06-${day}T0${id % 10}:00:00.000001Z`, name: `n${id}` };
  });
}

async function lake() {
  const folder = await temporaryFolder('fjord-partitions');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

async function tableOf(open: Lake): Promise<Table> {
  const table = await open.table();
  if (!table) throw new Error('there is no table');
  return table;
}

/** What PyIceberg finds: rows in all, files and rows for one day, and files whose rows do not belong to their partition by PyIceberg's own transforms. */
async function inspect(table: Table): Promise<unknown> {
  const script = `
import json, sys
from pyiceberg.table import StaticTable
table = StaticTable.from_metadata(sys.argv[1])
day = "at >= '2024-06-03T00:00:00+00:00' and at < '2024-06-04T00:00:00+00:00'"
files = list(table.scan().plan_files())
wrong = []
for task in files:
    from pyiceberg.io.pyarrow import ArrowScan
    rows = ArrowScan(table.metadata, table.io, table.schema(), __import__('pyiceberg.expressions', fromlist=['AlwaysTrue']).AlwaysTrue()).to_table([task]).to_pylist()
    spec = table.specs()[task.file.spec_id]
    for row in rows:
        for i, field in enumerate(spec.fields):
            source = table.schema().find_field(field.source_id)
            value = row[source.name]
            if value is not None and source.name == 'at':
                from pyiceberg.utils.datetime import datetime_to_micros
                value = datetime_to_micros(value)
            made = field.transform.transform(source.field_type)(value)
            if made != task.file.partition[i]: wrong.append([task.file.file_path, row['id'], str(made), str(task.file.partition[i])])
pruned = table.scan(row_filter=day)
print(json.dumps({
  'rows': table.scan().to_arrow().num_rows,
  'dayFiles': len(list(pruned.plan_files())), 'dayRows': pruned.to_arrow().num_rows,
  'nullRows': table.scan(row_filter="at is null").to_arrow().num_rows, 'nullFiles': len(list(table.scan(row_filter="at is null").plan_files())),
  'idFiles': len(list(table.scan(row_filter="id = 17").plan_files())), 'idRows': table.scan(row_filter="id = 17").to_arrow().num_rows,
  'wrong': wrong[:3]}))`;
  const { stdout } = await runPython(script, [table.metadataLocation]);
  return JSON.parse(stdout);
}

test('rows in no order fan out into more partitions than files may be open, each row into its own', async () => {
  await using open = await lake();
  // With a megabyte of memory rows are divided every 256 kB, and of the 124 partitions all but eight are spilled.
  await using write = open.write(
    { columns: EVENTS, layout: { partition: ['day(at)', 'bucket(4, id)'] } },
    '--memory',
    '1',
  );
  write.begin(null).records('a', events(0, 4000)).records('b', events(4000, 2000)).end('a').end('b').complete();
  write.state('done').endRun();
  expect(await write.finish()).toBe(0);
  const table = await tableOf(open);
  const files = await Array.fromAsync(planFiles(table));
  expect(files.map(({ file }) => file.recordCount).reduce((sum, count) => sum + count)).toBe(6000n);
  // One file for each partition of each chunk: none was ended early.
  expect(files).toHaveLength(2 * (DAYS + 1) * 4);
  // Of the files whose ids go from below 17 to above it, those of the bucket of 17.
  const bucket = bindTransform({ kind: 'bucket', count: 4 }, 'long')(17n);
  const near = files.filter(({ file }) => {
    const [lower, upper] = [file.lowerBounds?.get(1), file.upperBounds?.get(1)];
    return lower && upper && Number(decodeValue('long', lower)) <= 17 && Number(decodeValue('long', upper)) >= 17;
  });
  const idFiles = near.filter(({ file }) => file.partition?.get(1001) === bucket).length;
  expect(idFiles).toBeLessThan(near.length);
  expect(await inspect(table)).toEqual({
    rows: 6000,
    dayFiles: 8,
    dayRows: events(0, 6000).filter(({ at }) => String(at).startsWith('2024-06-03')).length,
    nullRows: 60,
    nullFiles: 8,
    idFiles,
    idRows: 1,
    wrong: [],
  });
  const { rows } = await readWithDuckDB({
    metadataLocation: table.metadataLocation,
    sql: `SELECT count(*), sum(id), count(*) FILTER (WHERE "at" IS NULL), count(*) FILTER (WHERE "at" < '2024-06-02T00:00:00Z') FROM lake`,
  });
  const first = events(0, 6000).filter(({ at }) => String(at).startsWith('2024-06-01')).length;
  expect(rows).toEqual([['6000', String((5999 * 6000) / 2), '60', String(first)]]);
  const [manifest] = await readManifestList(table.io, snapshotOfRef(table.metadata)!);
  expect(manifest?.partitions).toHaveLength(2);
  expect(manifest?.partitions?.[0]).toMatchObject({ containsNull: true });
});

test('rows in the order of their partitions are never spilled: each file is ended as the next day begins', async () => {
  await using open = await lake();
  await using write = open.write({ columns: EVENTS, layout: { partition: ['day(at)'] } }, '--memory', '1');
  const rows = events(0, 6000).filter(({ at }) => at !== null);
  rows.sort((a, b) => String(a['at']).localeCompare(String(b['at'])));
  write.begin(null).records('a', rows).end('a').complete().state('done').endRun();
  expect(await write.finish()).toBe(0);
  const files = await Array.fromAsync(planFiles(await tableOf(open)));
  expect(files).toHaveLength(DAYS);
});

test('a discarded chunk of a partitioned table leaves no file', async () => {
  await using open = await lake();
  await using write = open.write({ columns: EVENTS, layout: { partition: ['bucket(20, id)'] } }, '--memory', '1');
  write.begin(null).records('a', events(0, 3000)).end('a', 'discard').records('b', events(0, 10)).end('b').complete();
  write.state('done').endRun();
  expect(await write.finish()).toBe(0);
  const table = await tableOf(open);
  const planned = await Array.fromAsync(planFiles(table));
  const { stdout } = await runPython(
    `import os, sys, json; print(json.dumps([f for d, _, fs in os.walk(sys.argv[1]) for f in fs if f.endswith('.parquet')]))`,
    [`${table.metadata.location.replace('file://', '')}/data`],
  );
  expect(JSON.parse(stdout)).toHaveLength(planned.length);
});

test('a partition that does not suit the columns is refused before any row, with the column named', async () => {
  await using open = await lake();
  await using write = open.write({ columns: EVENTS, layout: { partition: ['day(name)'] } });
  write.begin(null).records('a', events(0, 3)).end('a').complete().state('done').endRun();
  expect(await write.finish()).toBe(2);
  expect(write.errors.at(-1)).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('"name"') });
});

test('the partition spec evolves with the option: old files keep theirs, both are read', async () => {
  await using open = await lake();
  await using first = open.write({ columns: EVENTS, layout: { partition: ['month(at)'] } });
  first.begin(null).records('a', events(0, 100)).end('a').complete().state('one').endRun();
  expect(await first.finish()).toBe(0);
  await using second = open.write({ columns: EVENTS, layout: { partition: ['day(at)'] } });
  second.begin('one').records('b', events(100, 200)).end('b').complete().state('two').endRun();
  expect(await second.finish()).toBe(0);
  await using third = open.write({ columns: EVENTS, layout: { partition: [] } });
  third.begin('two').records('c', events(300, 100)).end('c').complete().state('three').endRun();
  expect(await third.finish()).toBe(0);
  const table = await tableOf(open);
  expect(table.metadata['partition-specs'].map((spec) => spec.fields.map(({ name }) => name))).toEqual([
    ['at_month'],
    ['at_day'],
    [],
  ]);
  expect(await inspect(table)).toMatchObject({ rows: 400, nullRows: 4, wrong: [] });
  const { rows } = await readWithDuckDB({ metadataLocation: table.metadataLocation, sql: 'SELECT count(*) FROM lake' });
  expect(rows).toEqual([['400']]);
});
