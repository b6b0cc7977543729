import type { Column } from '@fjord/core';
import { planFiles, type Table } from '@fjord/iceberg';
import { readWithDuckDB, runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { followRandom } from '../changes/follow-random.ts';
import { Lake } from '../write-process.ts';

const EVENTS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'at', type: 'timestamptz', nullable: true },
  { name: 'name', type: 'string', nullable: true },
];

/** Rows in no order; every 101st has no time. */
function events(from: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = from + ((index * 7919) % count);
    const day = String(((id * 7) % 30) + 1).padStart(2, '0');
    return {
      id: String(id),
      at: id % 101 === 0 ? null : `2024-06-${day}T0${id % 10}:00:00.000001Z`,
      name: `${'shared prefix '.repeat(3)}${id % 97}`,
    };
  });
}

async function lake() {
  const folder = await temporaryFolder('fjord-sorted');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

async function tableOf(open: Lake): Promise<Table> {
  const table = await open.table();
  if (!table) throw new Error('there is no table');
  return table;
}

/** By PyIceberg and pyarrow: of each data file the rows in their order, the order that the manifest names, and what the footer says. */
async function inspect(table: Table): Promise<{ rows: unknown[][]; orderId: number; sorting: unknown[][] }[]> {
  const script = `
import json, sys
import pyarrow.parquet as pq
from pyiceberg.table import StaticTable
table = StaticTable.from_metadata(sys.argv[1])
found = []
for task in table.scan().plan_files():
    file = pq.ParquetFile(task.file.file_path.replace('file://', ''))
    rows = file.read()
    sorting = [[[s.column_index, s.descending, s.nulls_first] for s in (file.metadata.row_group(g).sorting_columns or ())] for g in range(file.num_row_groups)]
    times = rows.column('at').cast('int64').to_pylist()
    found.append({'rows': list(map(list, zip(rows.column('id').to_pylist(), times, rows.column('name').to_pylist()))),
      'orderId': task.file.sort_order_id, 'sorting': sorting})
print(json.dumps(found))`;
  const { stdout } = await runPython(script, [table.metadataLocation]);
  return JSON.parse(stdout);
}

/** The order of the tests: by time, nulls last, then by text descending. */
function compare(a: unknown[], b: unknown[]): number {
  const [timeA, timeB] = [a[1] ?? Infinity, b[1] ?? Infinity].map(Number) as [number, number];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  return String(a[2]) === String(b[2]) ? 0 : String(a[2]) < String(b[2]) ? 1 : -1;
}

const isInOrder = (rows: unknown[][]) => rows.every((row, index) => index === 0 || compare(rows[index - 1]!, row) <= 0);
const SORT = ['at nulls last', 'name desc'];

test('rows in no order are sorted within each file, far beyond the memory for it, and files and manifests say so', async () => {
  await using open = await lake();
  // With a megabyte of memory runs have 64 kB: there are some fifty of them, so that runs are merged twice.
  await using write = open.write({ columns: EVENTS, layout: { sort: SORT } }, '--memory', '1');
  write.begin(null).records('a', events(0, 40_000)).end('a').records('b', events(40_000, 10)).end('b').complete();
  write.state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const table = await tableOf(open);
  const files = await inspect(table);
  expect(files.map(({ rows }) => rows.length).toSorted((a, b) => a - b)).toEqual([10, 40_000]);
  for (const { rows, orderId, sorting } of files) {
    expect(isInOrder(rows)).toBe(true);
    expect(orderId).toBe(table.metadata['default-sort-order-id']);
    for (const group of sorting)
      expect(group).toEqual([
        [1, false, false],
        [2, true, false],
      ]);
  }
  const ids = files.flatMap(({ rows }) => rows.map(([id]) => Number(id))).toSorted((a, b) => a - b);
  expect(ids).toEqual(Array.from({ length: 40_010 }, (_, id) => id));
  const { rows } = await readWithDuckDB({
    metadataLocation: table.metadataLocation,
    sql: `SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE "at" IS NULL) FROM lake`,
  });
  expect(rows).toEqual([['40010', '40010', String(Math.ceil(40_010 / 101))]]);
});

test('rows that come in order are written as they come, and what is out of order ends the file', async () => {
  await using open = await lake();
  const rows = events(0, 30_000).toSorted((a, b) => Number(a['id']) - Number(b['id']));
  await using write = open.write({ columns: EVENTS, layout: { sort: ['id'] } }, '--memory', '1');
  write
    .begin(null)
    .records('a', [...rows.slice(10_000), ...rows.slice(0, 10_000)])
    .end('a')
    .complete();
  write.state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const files = await inspect(await tableOf(open));
  for (const file of files) {
    const ids = file.rows.map(([id]) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  }
  expect(files.length).toBeLessThanOrEqual(3);
  expect(new Set(files.flatMap((file) => file.rows.map(([id]) => id))).size).toBe(30_000);
});

test('rows are sorted within each partition, by a transform where the order has one', async () => {
  await using open = await lake();
  const layout = { partition: ['bucket(4, id)'], sort: ['day(at) desc nulls first', 'id'] };
  await using write = open.write({ columns: EVENTS, layout }, '--memory', '1');
  write.begin(null).records('a', events(0, 5000)).end('a').complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const files = await inspect(await tableOf(open));
  expect(files).toHaveLength(4);
  const dayOf = (time: unknown) => (time === null ? Infinity : Math.floor(Number(time) / 86_400_000_000));
  for (const { rows, sorting } of files) {
    const keys = rows.map(([id, time]) => [dayOf(time), Number(id)] as const);
    expect(keys).toEqual(keys.toSorted(([a, c], [b, d]) => (a === b ? c - d : a > b ? -1 : 1)));
    // Parquet cannot say a transform.
    expect(sorting).toEqual([[]]);
  }
});

test('a table that is given an order later has its new files sorted, and its old ones named as they are', async () => {
  await using open = await lake();
  await using first = open.write({ columns: EVENTS });
  first.begin(null).records('a', events(0, 50)).end('a').complete().state('one').endRun();
  expect(await first.finish()).toBe(0);
  await using second = open.write({ columns: EVENTS, layout: { sort: SORT } });
  second.begin('one').records('b', events(100, 60)).end('b').complete().state('two').endRun();
  expect(await second.finish()).toBe(0);
  const table = await tableOf(open);
  const planned = await Array.fromAsync(planFiles(table));
  const orders = planned.map(({ file }) => [Number(file.recordCount), file.sortOrderId]);
  expect(orders.toSorted(([a], [b]) => a! - b!)).toEqual([
    [50, undefined],
    [60, table.metadata['default-sort-order-id']],
  ]);
});

test('a sorted table follows random changes: what replaces rows is found where it lies', () =>
  followRandom({ key: 'text', layout: { sort: ['at desc', 'id'], partition: ['month(at)'] }, seed: 7 }));
