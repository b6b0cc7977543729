import type { DataFile, ScanFile } from '@fjord/iceberg';
import { expect, test } from 'vitest';
import { type CompactionOptions, planCompaction, prefixOf } from '../../src/maintenance/plan-compaction.ts';

const OPTIONS = { targetBytes: 100, minInputFiles: 3, deletedShare: 0.3 };

function scanned(
  name: string,
  bytes: number,
  over: { deleted?: number; file?: Partial<DataFile>; specId?: number } = {},
): ScanFile {
  const filePath = `/t/data/p/${name}-uuid-00000.parquet`;
  const file: DataFile = {
    filePath,
    fileFormat: 'PARQUET',
    recordCount: 10n,
    fileSizeInBytes: BigInt(bytes),
    ...over.file,
  };
  const deletes: DataFile[] = over.deleted
    ? [
        {
          ...file,
          content: 'position-deletes',
          filePath: '/d',
          recordCount: BigInt(over.deleted),
          referencedDataFile: filePath,
        },
      ]
    : [];
  return { file, deletes, specId: over.specId ?? 0, sequenceNumber: 1n };
}

const plan = async (files: ScanFile[], over: Partial<CompactionOptions> = {}) =>
  (await planCompaction(files, { ...OPTIONS, ...over })).map(({ sources }) =>
    sources.map(({ file }) => file.filePath.replace(/^.*\/|-uuid.*$/g, '')),
  );

test.each<[string, ScanFile[], string[][]]>([
  ['small files up to the target', ['a', 'b', 'c', 'd'].map((name) => scanned(name, 30)), [['a', 'b', 'c']]],
  ['nothing of too few small files', [scanned('a', 10), scanned('b', 10)], []],
  ['two that fill a file', [scanned('a', 40), scanned('b', 40)], [['a', 'b']]],
  ['no large ones', [scanned('a', 80), scanned('b', 90), scanned('c', 99)], []],
  ['a file that is mostly deleted, alone', [scanned('a', 300, { deleted: 4 })], [['a']]],
  ['none of which little is deleted', [scanned('a', 300, { deleted: 3 })], []],
  [
    'files of each spec by themselves',
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => scanned(name, 10, { specId: index % 2 })),
    [
      ['a', 'c', 'e'],
      ['b', 'd', 'f'],
    ],
  ],
  [
    'changes apart from copied rows',
    ['g1-a', 'g1-b', 'g1-c', 'changes-g1', 'changes-g1', 'changes-g1'].map((name) => scanned(name, 10)),
    [
      ['g1-a', 'g1-b', 'g1-c'],
      ['changes-g1', 'changes-g1', 'changes-g1'],
    ],
  ],
  [
    'each partition by itself',
    [1, 2, 1, 2, 1].map((value) => scanned(`p${value}`, 10, { file: { partition: new Map([[1000, value]]) } })),
    [['p1', 'p1', 'p1']],
  ],
  [
    'no file that is not Parquet',
    ['a', 'b', 'c'].map((name) => scanned(name, 10, { file: { fileFormat: 'ORC' } })),
    [],
  ],
])('rewrites %s', async (_what, files, expected) => {
  expect(await plan(files)).toEqual(expected);
});

test('gradually, a file is rewritten once smaller ones add up to its size', async () => {
  const files = [scanned('large', 60), scanned('a', 5), scanned('b', 5), scanned('c', 6), scanned('d', 7)];
  expect(await plan(files, { isGradual: true })).toEqual([['a', 'b', 'c', 'd']]);
  const grown = [...files, scanned('e', 20), scanned('f', 20)];
  expect((await plan(grown, { isGradual: true, targetBytes: 200 }))[0]?.toSorted()).toEqual([
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'large',
  ]);
});

test('at least one group is rewritten, and no more than so many bytes where there are several', async () => {
  const files = [1, 2, 3].flatMap((value) =>
    ['x', 'y', 'z'].map((name) =>
      scanned(`${name}${value}`, 10 * value, { file: { partition: new Map([[1000, value]]) } }),
    ),
  );
  expect(await plan(files, { maxBytes: 100 })).toEqual([
    ['x1', 'y1', 'z1'],
    ['x2', 'y2', 'z2'],
  ]);
  expect(await plan(files, { maxBytes: 1 })).toEqual([['x1', 'y1', 'z1']]);
});

test('new files lie beside the old ones and are of their kind', () => {
  expect(prefixOf({ sources: [scanned('g1-a', 1)], bytes: 1 })).toBe('/t/data/p/compacted');
  expect(prefixOf({ sources: [scanned('changes-g3', 1)], bytes: 1 })).toBe('/t/data/p/changes-g3-compacted');
});
