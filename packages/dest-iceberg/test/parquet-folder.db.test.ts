import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Column } from '@fjord/core';
import { runPython, startS3, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'name', type: 'string', nullable: true },
  { name: 'key', type: 'uuid', nullable: true },
];
const PLAIN = { columns: COLUMNS, config: { format: 'parquet' } };
const KEY = '00000000-0000-4000-8000-000000000001';
const rows = (from: number, to: number, name = 'n') =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: from + index, name: `${name}${from + index}`, key: KEY }));

async function openLake() {
  const folder = await temporaryFolder('fjord-plain');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

const folderOf = (lake: Lake) => path.join(lake.folder, 'lake/db/s');
const filesOf = (lake: Lake) =>
  readdirSync(folderOf(lake), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.parquet'));

/** Ids and names in the folder as DuckDB and pyarrow, which know of no table, read all Parquet files below it. */
async function read(lake: Lake): Promise<[number, string][]> {
  const script = `
import json, sys, duckdb, pyarrow.dataset as ds
by_duck = duckdb.sql(f"SELECT id, name FROM read_parquet('{sys.argv[1]}/**/*.parquet', union_by_name = true) ORDER BY id, name").fetchall()
by_arrow = sorted(((row['id'], row['name']) for row in ds.dataset(sys.argv[1], format='parquet').to_table(columns=['id', 'name']).to_pylist()))
assert [tuple(row) for row in by_duck] == by_arrow, (by_duck, by_arrow)
print(json.dumps(by_duck))`;
  return JSON.parse((await runPython(script, [folderOf(lake)])).stdout);
}

const expected = (from: number, to: number, name = 'n') => rows(from, to, name).map((row) => [row.id, row.name]);

test('appended rows become files of a folder that any reader of Parquet takes, each once, divided and sorted as asked', async () => {
  await using lake = await openLake();
  const layout = { partition: ['bucket(2, id)'], sort: ['id desc'] };
  await using first = lake.write({ ...PLAIN, layout });
  first.begin(null).records('a', rows(1, 20)).end('a').state('one');
  await first.durable('one');
  // What is durable is in the folder; what no state covers is not.
  expect(await read(lake)).toEqual(expected(1, 20));
  first.records('b', rows(100, 110)).end('b');
  expect(await first.finish()).toBe(3);
  expect(first.errors.at(-1)).toMatchObject({ code: 'run_broken' });
  await using second = lake.write({ ...PLAIN, layout });
  second.begin('one').records('b', rows(21, 30)).end('b').complete().state('two').endRun();
  expect(await second.finish(), JSON.stringify(second.errors)).toBe(0);
  expect(await read(lake)).toEqual(expected(1, 30));
  expect(new Set(filesOf(lake).map((name) => path.dirname(name)))).toEqual(new Set(['id_bucket_2=0', 'id_bucket_2=1']));
});

test('a run that was cut off after its commit is completed by the next one, and files of others are left alone', async () => {
  await using lake = await openLake();
  await using first = lake.write(PLAIN);
  first.begin(null).records('a', rows(1, 5)).end('a').complete().state('one').endRun();
  expect(await first.finish(), JSON.stringify(first.errors)).toBe(0);
  const [name = ''] = filesOf(lake);
  // As after a kill between commit and move: the file lies where it was written.
  const data = path.join(lake.folder, 'lake/_fjord/db/s/data/p', name);
  renameSync(path.join(folderOf(lake), name), data);
  const stray = path.join(folderOf(lake), 'g1-a-00000000-0000-4000-8000-000000000000-00000.parquet');
  const foreign = path.join(folderOf(lake), 'mine.csv');
  await runPython(`import sys; [open(path, 'w').close() for path in sys.argv[1:]]`, [stray, foreign]);
  await using second = lake.write(PLAIN);
  second.begin('one').records('b', rows(6, 9)).end('b').complete().state('two').endRun();
  expect(await second.finish(), JSON.stringify(second.errors)).toBe(0);
  expect(existsSync(foreign)).toBe(true);
  expect(existsSync(stray)).toBe(false);
  expect(existsSync(data)).toBe(false);
  await runPython(`import os, sys; os.unlink(sys.argv[1])`, [foreign]);
  expect(await read(lake)).toEqual(expected(1, 9));
});

test('an overwrite stays aside until it is complete, and then takes the place of the files there', async () => {
  await using lake = await openLake();
  const options = { ...PLAIN, writeMode: 'overwrite' as const };
  await using first = lake.write(options);
  first.begin(null).records('a', rows(1, 9)).end('a').complete().state('one').endRun();
  expect(await first.finish(), JSON.stringify(first.errors)).toBe(0);
  const before = filesOf(lake);
  await using second = lake.write(options);
  second.begin('one').send({ type: 'BACKFILL', stream: 's', generation: 2, replace: true });
  second
    .records('a', rows(1, 3, 'new'))
    .end('a')
    .state('half');
  await second.durable('half');
  expect(filesOf(lake)).toEqual(before);
  second
    .records('b', rows(4, 5, 'new'))
    .end('b')
    .complete()
    .state('two')
    .endRun();
  expect(await second.finish(), JSON.stringify(second.errors)).toBe(0);
  expect(await read(lake)).toEqual(expected(1, 5, 'new'));
});

test('without what was noted beside it, a folder is filled anew, and no row is there twice', async () => {
  await using lake = await openLake();
  await using first = lake.write(PLAIN);
  first.begin(null).records('a', rows(1, 5)).end('a').complete().state('one').endRun();
  expect(await first.finish(), JSON.stringify(first.errors)).toBe(0);
  rmSync(path.join(lake.folder, 'lake/_fjord'), { recursive: true });
  await using second = lake.write(PLAIN);
  second.begin(null).records('a', rows(1, 6)).end('a').complete().state('one').endRun();
  expect(await second.finish(), JSON.stringify(second.errors)).toBe(0);
  expect(await read(lake)).toEqual(expected(1, 6));
});

test('a stream that must replace rows is refused with what to do, and so is a catalog', async () => {
  await using lake = await openLake();
  await using upsert = lake.write({ ...PLAIN, writeMode: 'upsert' });
  expect(await upsert.finish()).toBe(2);
  expect(upsert.errors.at(-1)).toMatchObject({
    code: 'config_invalid',
    message: 'Stream s is upserted, and plain Parquet files cannot have rows replaced in them.',
  });
  await using catalog = lake.write({ ...PLAIN, config: { format: 'parquet', catalog: { type: 'sqlite' } } });
  expect(await catalog.finish()).toBe(2);
  expect(catalog.errors.at(-1)).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('catalog') });
});

test('files of a bucket are copied by the store itself, and read from there', async () => {
  await using lake = await openLake();
  await using s3 = await startS3();
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const config = {
    format: 'parquet',
    warehouse: `s3://${s3.bucket}/plain folder`,
    s3: { endpoint, region, accessKeyId, secretAccessKey, pathStyle: true },
  };
  await using write = lake.write({ ...PLAIN, config });
  write.begin(null).records('a', rows(1, 7)).end('a').complete().state('one').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  const script = `
import json, sys, pyarrow.dataset as ds
from pyarrow.fs import S3FileSystem
endpoint, region, key, secret, folder = sys.argv[1:]
scheme, host = endpoint.split('://')
files = S3FileSystem(access_key=key, secret_key=secret, region=region, scheme=scheme, endpoint_override=host)
table = ds.dataset(folder, format='parquet', filesystem=files).to_table(columns=['id', 'name'])
print(json.dumps(sorted((row['id'], row['name']) for row in table.to_pylist())))`;
  const args = [endpoint, region, accessKeyId, secretAccessKey, `${s3.bucket}/plain folder/db/s`];
  const { stdout } = await runPython(script, args);
  expect(JSON.parse(stdout)).toEqual(expected(1, 7));
});
