import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { commitTable, planFiles, readManifest, readManifestList, stageSnapshot, type Table } from '@fjord/iceberg';
import { readWithDuckDB, readWithPyIceberg, runPython } from '@fjord/test-harness';
import { expect, test, vi } from 'vitest';
import { COLUMNS, IDENTIFIER, OPTIONS, TableScene } from './table-scene.ts';

const BIN = path.join(import.meta.dirname, '../../src/bin.ts');

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
const liveIds = (files: number, rows: number, gone: readonly number[]) =>
  idsFrom(0, files * rows).filter((id) => !gone.includes(id % rows));

/** All ids and a sum of lengths of names, by two readers that must agree. */
async function readIds(table: Table): Promise<number[]> {
  const { metadataLocation } = table;
  const duck = await readWithDuckDB({
    metadataLocation,
    sql: "SELECT id, coalesce(name, '-'), kind FROM lake ORDER BY id",
  });
  const { columns, rows } = await readWithPyIceberg({ metadataLocation });
  const [id, name, kind] = ['id', 'name', 'kind'].map((column) => columns.findIndex((each) => each.name === column));
  const python = rows
    .map((row) => [row[id!], row[name!] ?? '-', row[kind!]])
    .toSorted((a, b) => Number(a[0]) - Number(b[0]));
  expect(python).toEqual(duck.rows);
  for (const [own, text, parity] of duck.rows) {
    expect([text, parity]).toEqual([Number(own) % 5 === 0 ? '-' : `n${Number(own)}`, String(Number(own) % 2)]);
  }
  return duck.rows.map(([own]) => Number(own));
}

/** Every file that a kept snapshot refers to is there. */
async function checkReferenced({ io, metadata }: Table): Promise<number> {
  let files = 0;
  for (const snapshot of metadata.snapshots) {
    for (const line of await readManifestList(io, snapshot)) {
      for (const { status, file } of (await readManifest(io, line)).entries) {
        if (status === 'deleted') continue;
        files += 1;
        expect((await io.readRange(file.filePath, 0, 4)).length, file.filePath).toBe(4);
      }
    }
  }
  return files;
}

const pathOf = (location: string) => location.replace('file://', '');

const filesIn = async (folder: string) =>
  (await readdir(pathOf(folder), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

test.each([2, 3])(
  'a table of version %d is compacted with its deletes, read alike, and its history expired',
  async (version) => {
    await using scene = await TableScene.open(version);
    for (let file = 0; file < 6; file++) await scene.append(idsFrom(file * 250, 250));
    await scene.deleteAt([0, 7, 249]);
    const before = await scene.table();
    const expected = liveIds(6, 250, [0, 7, 249]);
    const dry = await scene.maintain({ isDryRun: true });
    expect(dry.compaction).toMatchObject({ files: 6, into: 1 });
    expect((await scene.table()).metadataLocation).toBe(before.metadataLocation);
    const filesBefore = await filesIn(`${before.location}/data`);
    const report = await scene.maintain();
    expect(report.compaction).toMatchObject({ files: 6, into: 1, abandonedFiles: 0 });
    const table = await scene.table();
    const [only, ...more] = await Array.fromAsync(planFiles(table));
    expect([more, only?.deletes, only?.file.recordCount]).toEqual([[], [], BigInt(expected.length)]);
    expect(only?.sequenceNumber).toBe(7n);
    const snapshot = table.metadata.snapshots.at(-1)!;
    expect(snapshot.summary).toMatchObject({
      operation: 'replace',
      'total-data-files': '1',
      'total-delete-files': '0',
    });
    expect(snapshot.summary?.['total-records']).toBe(String(expected.length));
    expect(await readIds(table)).toEqual(expected);
    expect(table.metadata.snapshots).toHaveLength(1);
    expect(report.expiredSnapshots).toBe(7);
    expect(await checkReferenced(table)).toBe(1);
    expect(await filesIn(`${before.location}/data`)).toBe(1);
    expect(filesBefore).toBeGreaterThan(6);
    expect((await scene.maintain()).compaction.files).toBe(0);
  },
);

test('rows keep their ids and the sequence number of their last change when they move (version 3)', async () => {
  await using scene = await TableScene.open(3);
  await scene.append(idsFrom(0, 10));
  await scene.append(idsFrom(10, 10));
  await scene.deleteAt([3]);
  await scene.maintain();
  await scene.append(idsFrom(20, 10));
  await scene.maintain();
  const [only] = await Array.fromAsync(planFiles(await scene.table()));
  const { stdout } = await runPython(
    `import sys, json, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1]).sort_by('id').to_pylist()
print(json.dumps([[r['id'], r['_row_id'], r['_last_updated_sequence_number']] for r in t]))`,
    [only!.file.filePath],
  );
  const rows: number[][] = JSON.parse(stdout);
  const moved = rows.filter(([id]) => id! < 20);
  expect(moved).toEqual(
    idsFrom(0, 20)
      .filter((id) => id % 10 !== 3)
      .map((id) => [id, id, id < 10 ? 1 : 2]),
  );
  const added = rows.filter(([id]) => id! >= 20);
  expect(new Set(rows.map(([, rowId]) => rowId)).size).toBe(28);
  const first = added[0]![1]!;
  expect(added.map(([, rowId]) => rowId)).toEqual(idsFrom(first, 10));
});

test('appends of PyIceberg and deletes that come while files are rewritten are all there afterwards', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 4; file++) await scene.append(idsFrom(file * 100, 100));
  const { catalog } = scene;
  let isFirst = true;
  const disturbed = new Proxy(catalog, {
    get: (target, name) => {
      if (name !== 'commit') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
      return async (...args: Parameters<typeof catalog.commit>) => {
        if (isFirst) {
          isFirst = false;
          await runPython(PYICEBERG_APPEND, [scene.folder]);
          const files = await Array.fromAsync(planFiles(await scene.table()), ({ file }) => file.filePath);
          const victim = files.find((file) => file.includes('g1-a'));
          await scene.deleteAt([5], ({ filePath }) => filePath === victim);
        }
        return catalog.commit(...args);
      };
    },
  });
  Object.defineProperty(scene, 'catalog', { value: disturbed });
  const disturbedReport = await scene.maintain();
  // The deleted row was on its way into the new file, where it is deleted, too.
  expect(disturbedReport.compaction).toMatchObject({ files: 4, into: 1, abandonedFiles: 0 });
  const ids = await readIds(await scene.table());
  expect(ids).toHaveLength(400 - 1 + 3);
  expect(ids.slice(-3)).toEqual([1000, 1001, 1002]);
  const report = await scene.maintain();
  // PyIceberg's file lies in a folder of its own.
  expect(report.compaction.files).toBe(0);
  expect(await readIds(await scene.table())).toEqual(ids);
});

const PYICEBERG_APPEND = `
import sys, pyarrow as pa
from pyiceberg.catalog import load_catalog
catalog = load_catalog('fjord', type='sql', uri='sqlite:///' + sys.argv[1] + '/catalog.db', warehouse='file://' + sys.argv[1])
ids = [1000, 1001, 1002]
catalog.load_table('db.s').append(pa.table({'id': pa.array(ids, pa.int64()), 'name': [None if i % 5 == 0 else f'n{i}' for i in ids], 'kind': pa.array([i % 2 for i in ids], pa.int32())},
  schema=pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('name', pa.string()), pa.field('kind', pa.int32(), nullable=False)])))`;

test('files of a partition are put together, and only they', async () => {
  await using scene = await TableScene.open(2, ['kind']);
  for (let file = 0; file < 3; file++) {
    await scene.append(
      idsFrom(file * 100, 100).filter((id) => id % 2 === 0),
      new Map([[1000, 0]]),
    );
    await scene.append(
      idsFrom(file * 100, 100).filter((id) => id % 2 === 1),
      new Map([[1000, 1]]),
    );
  }
  expect((await scene.maintain()).compaction).toMatchObject({ files: 6, into: 2 });
  const table = await scene.table();
  const files = await Array.fromAsync(planFiles(table), ({ file }) => [file.partition?.get(1000), file.recordCount]);
  expect(new Map(files.map(([kind, rows]) => [kind, rows]))).toEqual(
    new Map([
      [0, 150n],
      [1, 150n],
    ]),
  );
  expect(files).toHaveLength(2);
  expect(await readIds(table)).toEqual(idsFrom(0, 300));
});

test('tags, branches and what they refer to outlive expiry; orphans go once they are old, and nothing else', async () => {
  await using scene = await TableScene.open(2);
  await scene.append(idsFrom(0, 20));
  const tagged = (await scene.table()).metadata.snapshots[0]!['snapshot-id'];
  await commitTable(scene.catalog, IDENTIFIER, () => ({
    requirements: [],
    updates: [{ action: 'set-snapshot-ref', 'ref-name': 'keep', type: 'tag', 'snapshot-id': tagged }],
  }));
  const branchFiles = await scene.write([500]);
  await commitTable(scene.catalog, IDENTIFIER, (table) =>
    stageSnapshot(table, { append: branchFiles, branch: 'other' }),
  );
  await scene.append(idsFrom(20, 20));
  const [lost] = await scene.write([900]);
  const [fresh] = await scene.write([901]);
  const location = pathOf((await scene.table()).location);
  const nested = path.join(location, 'inner', 'metadata', 'v1.metadata.json');
  const nestedData = path.join(location, 'inner', 'data', 'x.parquet');
  for (const file of [nested, nestedData]) {
    await scene.catalog.loadTable(IDENTIFIER).then((table) => table!.io.write(file, Buffer.from('{}')));
    await utimes(pathOf(file), 0, 0);
  }
  await writeFile(path.join(location, 'metadata', 'half.avro'), 'x');
  for (const file of [lost!.filePath, path.join(location, 'metadata', 'half.avro')]) await utimes(pathOf(file), 0, 0);
  const dry = await scene.maintain({ isDryRun: true });
  expect(dry.orphans.map((file) => path.basename(file)).toSorted()).toEqual(
    [path.basename(lost!.filePath), 'half.avro'].toSorted(),
  );
  const report = await scene.maintain();
  expect(report.orphans.toSorted()).toEqual(dry.orphans.toSorted());
  const table = await scene.table();
  await expect(table.io.exists(lost!.filePath)).resolves.toBe(false);
  for (const file of [fresh!.filePath, nested, nestedData]) expect(await table.io.exists(file), file).toBe(true);
  expect(await checkReferenced(table)).toBeGreaterThan(2);
  const old = await Array.fromAsync(planFiles(table, { snapshotId: tagged }), ({ file }) => file.recordCount);
  expect(old).toEqual([20n]);
  expect(await readIds(table)).toEqual(idsFrom(0, 40));
});

/** Starts the verb `maintain` in a process of its own. */
async function startMaintenance(scene: TableScene, ...args: string[]) {
  const [config, streams] = [path.join(scene.folder, 'config.json'), path.join(scene.folder, 'streams.json')];
  const target = { namespace: ['db'], name: 's' };
  const stream = { stream: 's', name: 's', columns: COLUMNS, primaryKey: ['id'], writeMode: 'append', target };
  await writeFile(config, JSON.stringify({ warehouse: scene.folder, workers: 1, maintenance: OPTIONS }));
  await writeFile(streams, JSON.stringify({ pipeline: 'p', streams: [stream] }));
  return spawn(process.execPath, [BIN, 'maintain', '--config', config, '--streams', streams, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('maintenance that is killed between its files and their commit loses nothing; its files are orphans, which go', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 4; file++) await scene.append(idsFrom(file * 100, 100));
  await scene.deleteAt([1]);
  const expected = liveIds(4, 100, [1]);
  const { location, metadataLocation } = await scene.table();
  const countCompacted = async () =>
    (await readdir(pathOf(location), { recursive: true })).filter((name) => name.includes('compacted')).length;
  const killed = await startMaintenance(scene);
  await vi.waitFor(async () => expect(await countCompacted()).toBeGreaterThan(0), { timeout: 60_000, interval: 1 });
  killed.kill('SIGKILL');
  await once(killed, 'close');
  const after = await scene.table();
  expect(await readIds(after)).toEqual(expected);
  for (const name of await readdir(pathOf(location), { recursive: true }))
    await utimes(path.join(pathOf(location), name), 0, 0);
  const again = await startMaintenance(scene);
  let [output, errors] = ['', ''];
  again.stdout.on('data', (data) => (output += String(data)));
  again.stderr.on('data', (data) => (errors += String(data)));
  expect((await once(again, 'close'))[0], errors).toBe(0);
  const report = JSON.parse(output);
  expect(report).toMatchObject({ type: 'MAINTENANCE', stream: 's', dryRun: false });
  if (after.metadataLocation === metadataLocation) expect(report).toMatchObject({ rewrittenFiles: 4, newFiles: 1 });
  const table = await scene.table();
  expect(await readIds(table)).toEqual(expected);
  expect(await checkReferenced(table)).toBe(1);
  expect(await countCompacted()).toBe(1);
});

test('a table whose new copy is being staged on a branch is left as it is', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 3; file++) await scene.append(idsFrom(file * 10, 10));
  const staged = await scene.write([99]);
  await commitTable(scene.catalog, IDENTIFIER, (table) =>
    stageSnapshot(table, { append: staged, branch: 'fjord-p-g2' }),
  );
  const { metadataLocation } = await scene.table();
  expect(await scene.maintain()).toMatchObject({ skipped: expect.stringContaining('fjord-p-g2'), expiredSnapshots: 0 });
  expect((await scene.table()).metadataLocation).toBe(metadataLocation);
});
