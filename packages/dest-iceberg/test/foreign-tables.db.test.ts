import type { Column } from '@fjord/core';
import { planFiles } from '@fjord/iceberg';
import { readWithDuckDB, runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'int', nullable: false },
  { name: 'at', type: 'timestamptz', nullable: true },
  { name: 'title', type: 'string', nullable: true },
  { name: 'score', type: 'double', nullable: true },
];

async function lake() {
  const folder = await temporaryFolder('fjord-foreign');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

/** Runs PyIceberg on the lake's catalog; the body finds `catalog` and prints JSON. */
async function pyiceberg(open: Lake, body: string): Promise<unknown> {
  const script = `
import json, sys, os
import datetime as dt
import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import *
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.transforms import *
os.makedirs(sys.argv[1] + '/lake', exist_ok=True)
catalog = load_catalog('fjord', type='sql', uri='sqlite:///' + sys.argv[1] + '/lake/catalog.db', warehouse='file://' + sys.argv[1] + '/lake')
utc = dt.timezone.utc
def rows(start, count, **more):
    ids = list(range(start, start + count))
    return pa.table({'id': pa.array(ids, pa.int32()), 'at': pa.array([dt.datetime(2024, 1 + i % 3, 1 + i % 28, tzinfo=utc) for i in ids], pa.timestamp('us', 'UTC')), **{k: pa.array([v(i) for i in ids]) for k, v in more.items()}})
${body}`;
  const { stdout } = await runPython(script, [open.folder]);
  return JSON.parse(stdout || 'null');
}

const MADE = (version: number) => `
catalog.create_namespace_if_not_exists('db')
schema = Schema(NestedField(1, 'id', IntegerType()), NestedField(2, 'at', TimestamptzType()), NestedField(3, 'name', StringType()), NestedField(4, 'score', FloatType()), NestedField(5, 'kind', StringType()))
spec = PartitionSpec(PartitionField(5, 1000, IdentityTransform(), 'kind'))
table = catalog.create_table('db.s', schema, partition_spec=spec, properties={'format-version': '${version}'})
def more(start, count, name): return rows(start, count, **{name: lambda i: f'n{i}', 'kind': lambda i: f'k{i % 3}'}).append_column('score', pa.array([i / 4 for i in range(count)], pa.float32()))
table.append(more(0, 30, 'name'))
table.delete("id < 5 or id = 17")
with table.update_schema() as update: update.rename_column('name', 'title')
with table.update_spec() as update: update.remove_field('kind')
table.append(more(30, 20, 'title'))
with table.update_spec() as update: update.add_field('id', BucketTransform(4), 'id_bucket')`;

test.each([1, 2])(
  'a table of version %d that PyIceberg made, evolved and deleted from is appended to',
  async (version) => {
    await using open = await lake();
    await pyiceberg(open, MADE(version));
    const before = await Array.fromAsync(planFiles((await open.table())!));
    expect(before.reduce((sum, { file }) => sum + file.recordCount, 0n)).toBe(44n);
    await using write = open.write({ columns: COLUMNS, adopt: true });
    const added = Array.from({ length: 10 }, (_, index) => ({
      id: 100 + index,
      at: `2024-05-0${1 + (index % 3)}T00:00:00Z`,
      title: `f${index}`,
      score: 1 / 3,
    }));
    write.begin(null).records('a', added).end('a').complete().state('done').endRun();
    expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
    const table = (await open.table())!;
    expect(table.metadata['format-version']).toBe(2);
    const found = await pyiceberg(
      open,
      `
table = catalog.load_table('db.s')
all = sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row['id'])
hundred = table.scan(row_filter='id = 103')
first = table.snapshots()[0].snapshot_id
print(json.dumps({'ids': [row['id'] for row in all], 'titles': [all[0]['title'], all[-1]['title']], 'score': all[-1]['score'],
  'types': [str(f.field_type) for f in table.schema().fields], 'first': table.scan(snapshot_id=first).to_arrow().num_rows,
  'specs': sorted({task.file.spec_id for task in table.scan().plan_files()}), 'files': len(list(hundred.plan_files())), 'rows': hundred.to_arrow().num_rows}))`,
    );
    const ids = Array.from({ length: 50 }, (_, id) => id).filter((id) => id >= 5 && id !== 17);
    expect(found).toEqual({
      ids: [...ids, ...added.map(({ id }) => id)],
      titles: ['n5', 'f9'],
      score: 1 / 3,
      types: ['int', 'timestamptz', 'string', 'double', 'string'],
      first: 30,
      specs: [0, 1, 2],
      files: 1,
      rows: 1,
    });
    const { rows } = await readWithDuckDB({
      metadataLocation: table.metadataLocation,
      sql: 'SELECT count(*), sum(id), count(title) FROM lake',
    });
    const sum = [...ids, ...added.map(({ id }) => id)].reduce((total, id) => total + id, 0);
    expect(rows).toEqual([['54', String(sum), '54']]);
    // Of the table's own rows, its partitions tell which files a condition may concern.
    const planned = await Array.fromAsync(planFiles(table, { filter: { op: '=', column: 'id', value: 103 } }));
    expect(planned).toHaveLength(1);
  },
);

test('files without field ids, mapped by name, stay readable when the schema grows, and are found by PyIceberg beside ours', async () => {
  await using open = await lake();
  await pyiceberg(
    open,
    `
import pyarrow.parquet as pq
catalog.create_namespace_if_not_exists('db')
schema = Schema(NestedField(1, 'id', IntegerType()), NestedField(2, 'at', TimestamptzType()))
table = catalog.create_table('db.s', schema)
path = sys.argv[1] + '/other.parquet'
pq.write_table(rows(0, 5), path)
table.add_files([path])`,
  );
  await using write = open.write({ columns: COLUMNS, adopt: true });
  const row = { id: 9, at: '2024-05-01T00:00:00Z', title: 'f', score: 0.5 };
  write.begin(null).records('a', [row]).end('a').complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const found = await pyiceberg(
    open,
    `
import pyarrow.parquet as pq
table = catalog.load_table('db.s')
path = sys.argv[1] + '/later.parquet'
pq.write_table(rows(20, 2, title=lambda i: f'm{i}'), path)
table.add_files([path])
print(json.dumps(sorted([row['id'], row['title'], row['score']] for row in table.scan().to_arrow().to_pylist())))`,
  );
  expect(found).toEqual([
    ...[0, 1, 2, 3, 4].map((id) => [id, null, null]),
    [9, 'f', 0.5],
    [20, 'm20', null],
    [21, 'm21', null],
  ]);
});
