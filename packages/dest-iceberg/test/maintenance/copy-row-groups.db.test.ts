import { commitTable, createPartitionSpec, currentSchema, type DataFile, planFiles } from '@fjord/iceberg';
import { readWithDuckDB, readWithPyIceberg } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { openParquetSource } from '../../src/parquet/parquet-source.ts';
import { IDENTIFIER, TableScene } from './table-scene.ts';

const ROWS = 20_000;
const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

const countsOf = async (scene: TableScene) => {
  const { metadataLocation } = await scene.table();
  const sql = 'SELECT count(*), sum(id), count(name), min(name), max(name), sum(kind) FROM lake';
  return (await readWithDuckDB({ metadataLocation, sql })).rows;
};

test('row groups of files without deletes are copied as they are; those with deletes are decoded', async () => {
  await using scene = await TableScene.open(2, [], { rowGroupRows: ROWS });
  for (let file = 0; file < 4; file++) await scene.append(idsFrom(file * ROWS, ROWS));
  const lowestOf = (file: DataFile) => Buffer.from(file.lowerBounds!.get(1)!).readBigInt64LE();
  await scene.deleteAt([5, 6], (file) => lowestOf(file) === 0n);
  const before = await countsOf(scene);
  const report = await scene.maintain();
  expect(report.compaction).toMatchObject({ files: 4, into: 2, abandonedFiles: 0 });
  expect(await countsOf(scene)).toEqual(before);
  const table = await scene.table();
  const files = await Array.fromAsync(planFiles(table), ({ file }) => file);
  const copied = files.find(({ recordCount }) => recordCount === BigInt(3 * ROWS))!;
  await using source = await openParquetSource(table, copied);
  expect(source.rowGroups.map(({ rows }) => rows)).toEqual([ROWS, ROWS, ROWS]);
  const highest = Buffer.from(copied.upperBounds!.get(1)!).readBigInt64LE();
  expect([lowestOf(copied), highest]).toEqual([BigInt(ROWS), BigInt(4 * ROWS - 1)]);
  expect(copied.valueCounts?.get(1)).toBe(BigInt(3 * ROWS));
  expect(copied.nullValueCounts?.get(2)).toBe(BigInt((3 * ROWS) / 5));
  const { rows } = await readWithPyIceberg({ metadataLocation: table.metadataLocation, columns: ['id'] });
  expect(rows).toHaveLength(4 * ROWS - 2);
});

test('files of an older partition spec are put together in theirs', async () => {
  await using scene = await TableScene.open(2);
  for (let file = 0; file < 2; file++) await scene.append(idsFrom(file * 10, 10));
  await commitTable(scene.catalog, IDENTIFIER, ({ metadata }) => {
    const spec = createPartitionSpec(currentSchema(metadata), ['kind'], metadata);
    const updates = [{ action: 'add-spec', spec } as const, { action: 'set-default-spec', 'spec-id': -1 } as const];
    return { updates, requirements: [] };
  });
  const before = await countsOf(scene);
  expect((await scene.maintain()).compaction).toMatchObject({ files: 2, into: 1 });
  const files = await Array.fromAsync(planFiles(await scene.table()));
  expect(files.map(({ specId, file }) => [specId, file.recordCount])).toEqual([[0, 20n]]);
  expect(await countsOf(scene)).toEqual(before);
});
