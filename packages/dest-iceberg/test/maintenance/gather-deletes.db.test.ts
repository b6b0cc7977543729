import { planFiles } from '@fjord/iceberg';
import { readWithDuckDB, readWithPyIceberg } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { TableScene } from './table-scene.ts';

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

/** The ids by DuckDB, which must agree with PyIceberg as far as that reads what deletes: equality deletes it does not. */
async function idsOf(scene: TableScene, readers: 'both' | 'duckdb'): Promise<number[]> {
  const { metadataLocation } = await scene.table();
  const duck = await readWithDuckDB({ metadataLocation, sql: 'SELECT id FROM lake ORDER BY id' });
  const ids = duck.rows.map(([id]) => Number(id));
  if (readers === 'both') {
    const { rows } = await readWithPyIceberg({ metadataLocation, columns: ['id'] });
    expect(rows.map(([id]) => Number(id)).toSorted((a, b) => a - b)).toEqual(ids);
  }
  return ids;
}

const deletesOf = async (scene: TableScene) =>
  (await Array.fromAsync(planFiles(await scene.table())))
    .map(({ deletes }) => deletes.map(({ content }) => content).join())
    .toSorted();

test('position deletes of many commits become one file for each data file', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 3; file++) await scene.append(idsFrom(file * 100, 100));
  for (let position = 0; position < 6; position++) await scene.deleteAt([position]);
  const before = await idsOf(scene, 'both');
  expect(before).toHaveLength(300 - 18);
  const dry = await scene.maintain({ isDryRun: true, minInputFiles: 5 });
  expect(dry.gathering).toEqual({ deleteFiles: 6, into: 3 });
  const report = await scene.maintain({ minInputFiles: 5, snapshotsToKeep: 100, snapshotAgeHours: 10 });
  expect(report.compaction.files).toBe(0);
  expect(report.gathering).toEqual({ deleteFiles: 6, into: 3 });
  expect(await deletesOf(scene)).toEqual(['position-deletes', 'position-deletes', 'position-deletes']);
  expect(await idsOf(scene, 'both')).toEqual(before);
  const summary = (await scene.table()).metadata.snapshots.findLast(
    ({ summary: each }) => each?.['removed-delete-files'],
  )?.summary;
  expect(summary).toMatchObject({ operation: 'replace', 'total-position-deletes': '18', 'total-delete-files': '3' });
  // Once a file's deletes are its own it is known how many they are.
  expect((await scene.maintain({ minInputFiles: 5, deletedShare: 0.05 })).compaction.files).toBe(3);
  expect(await idsOf(scene, 'both')).toEqual(before);
});

test.each([2, 3])('equality deletes become positions of the files that they hit (version %d)', async (version) => {
  await using scene = await TableScene.open(version);
  await scene.append(idsFrom(0, 100));
  for (const id of [3, 50, 120, 121]) await scene.deleteByKey([id, id + 1]);
  await scene.append(idsFrom(100, 100));
  await scene.deleteByKey([150]);
  // Rows that come back after their delete stay.
  await scene.append([3, 150]);
  const live = [...idsFrom(0, 200).filter((id) => ![3, 4, 50, 51, 150].includes(id)), 3, 150].toSorted((a, b) => a - b);
  expect(await idsOf(scene, 'duckdb')).toEqual(live);
  const report = await scene.maintain({ minInputFiles: 4 });
  expect(report.gathering).toEqual({ deleteFiles: 5, into: 2 });
  expect(await deletesOf(scene)).toEqual(['', 'position-deletes', 'position-deletes']);
  expect(await idsOf(scene, 'both')).toEqual(live);
});

test('files that equality deletes apply to are compacted without the rows that are gone', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 3; file++) await scene.append(idsFrom(file * 10, 10));
  await scene.deleteByKey([0, 11, 29]);
  const report = await scene.maintain();
  expect(report.compaction).toMatchObject({ files: 3, into: 1 });
  expect(await idsOf(scene, 'both')).toEqual(idsFrom(0, 30).filter((id) => ![0, 11, 29].includes(id)));
  const [only] = await Array.fromAsync(planFiles(await scene.table()));
  expect([only?.file.recordCount, only?.deletes]).toEqual([27n, []]);
});

test('a delete that comes between the reading of deletes and their commit stays', async () => {
  await using scene = await TableScene.open(3);
  for (let file = 0; file < 2; file++) await scene.append(idsFrom(file * 100, 100));
  for (const id of [1, 2, 103]) await scene.deleteByKey([id]);
  const { catalog } = scene;
  let isFirst = true;
  const disturbed = new Proxy(catalog, {
    get: (target, name) => {
      if (name !== 'commit') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
      return async (...args: Parameters<typeof catalog.commit>) => {
        if (isFirst) {
          isFirst = false;
          await scene.deleteAt([70], ({ recordCount, filePath }) => recordCount === 100n && filePath !== '');
        }
        return catalog.commit(...args);
      };
    },
  });
  Object.defineProperty(scene, 'catalog', { value: disturbed });
  await scene.maintain({ minInputFiles: 3 });
  const live = idsFrom(0, 200).filter((id) => ![1, 2, 103, 70, 170].includes(id));
  expect(await idsOf(scene, 'duckdb')).toEqual(live);
  Object.defineProperty(scene, 'catalog', { value: catalog });
  await scene.maintain({ minInputFiles: 2 });
  expect(await idsOf(scene, 'both')).toEqual(live);
});
