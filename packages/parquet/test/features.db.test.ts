import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCopyableFile, RowGroupCopier } from '../src/index.ts';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

const ROWS = 20_000;
const GROUP_ROWS = 5000;

/** What foreign readers say of a file: see read_features.py. */
type Features = {
  keyValues: Record<string, string>;
  sortedBy: { column_index: number; descending: boolean; nulls_first: boolean }[][];
  logical: Record<string, string>;
  duckdbTypes: Record<string, string>;
  uuidFound: number;
  topFound: number;
  hasIndexes: boolean;
  groupsLeft: Record<string, number[]>;
  bloomExcludes: Record<string, boolean[]>;
  damagedPages: Record<string, string>;
};

describe('foreign readers', () => {
  let found: Features;
  let without: Features;
  /** Of a file that holds the row groups of the first one twice, copied. */
  let copied: Features;

  beforeAll(async () => {
    await using folder = await temporaryFolder('parquet');
    const source = path.join(folder.path, 'table.arrows');
    await runPython(path.join(PYTHON_FOLDER, 'make_features.py'), [source, String(ROWS)]);
    const stream = readFileSync(source);
    const common = { rowGroupRows: GROUP_ROWS, pageBytes: 4096 } as const;
    const { file } = await encode([stream], {
      ...common,
      bloomFilters: ['uid', 'word', 'number', 'price', 'deep.list.element'],
      sortedBy: [{ column: 'id' }, { column: 'day', isDescending: true, nullsFirst: true }],
      keyValueMetadata: { origin: 'Fjord', 'iceberg.schema': '{"é": "😀"}', empty: '' },
    });
    const plain = await encode([stream], { ...common, pageIndex: false, pageChecksums: false, uuidLogicalType: false });
    const read = (each: Buffer) => readFeatures(folder.path, each);
    [found, without, copied] = await Promise.all([
      read(file),
      read(plain.file),
      read(await copyRowGroups([file, file])),
    ]);
  });

  test('read the metadata by key', () => {
    expect(found.keyValues).toEqual({ origin: 'Fjord', 'iceberg.schema': '{"é": "😀"}', empty: '' });
    expect(without.keyValues).toEqual({});
  });

  test('read by what the rows are sorted, in each row group', () => {
    const sorted = [
      { column_index: 0, descending: false, nulls_first: false },
      { column_index: 2, descending: true, nulls_first: true },
    ];
    expect(found.sortedBy).toEqual(Array.from({ length: ROWS / GROUP_ROWS }, () => sorted));
    expect(without.sortedBy).toEqual(Array.from({ length: ROWS / GROUP_ROWS }, () => []));
  });

  test('read a UUID as one, or as bytes if the option says so', () => {
    expect([found.logical['uid'], found.duckdbTypes['uid'], found.uuidFound]).toEqual(['UUID', 'UUID', 1]);
    expect([without.logical['uid'], without.duckdbTypes['uid']]).toEqual(['None', 'BLOB']);
  });

  test('find a page index where there is one', () => {
    expect([found.hasIndexes, without.hasIndexes]).toEqual([true, false]);
  });

  test('skip row groups by the bounds of every type, and keep those that hold the value', () => {
    const skipping = ['id', 'small', 'day', 'price', 'large', 'at', 'real', 'word', 'raw'];
    expect(found.groupsLeft).toEqual(Object.fromEntries(skipping.map((column) => [column, [2]])));
  });

  test('find bytes that have no upper bound of the length of bounds', () => {
    expect(found.topFound).toBe(ROWS / 2);
  });

  test('skip row groups by bloom filters: never one that holds the value, nearly all others', () => {
    for (const [column, excludes] of Object.entries(found.bloomExcludes)) {
      expect(excludes, column).toHaveLength(ROWS / GROUP_ROWS);
      expect(excludes[2], column).toBe(false);
    }
    // DuckDB has no such filter for other types.
    for (const column of ['word', 'number'])
      expect(found.bloomExcludes[column]?.filter(Boolean).length, column).toBeGreaterThanOrEqual(2);
    expect(Object.keys(found.bloomExcludes).toSorted()).toEqual(['number', 'price', 'uid', 'word']);
  });

  test('find all of it in row groups that were copied from other files', () => {
    const twice = <T>(items: readonly T[]) => [...items, ...items];
    const groups = ROWS / GROUP_ROWS;
    const { bloomExcludes, groupsLeft, damagedPages, ...others } = copied;
    const { keyValues, logical, duckdbTypes, hasIndexes } = found;
    const sortedBy = twice(found.sortedBy);
    const [uuidFound, topFound] = [2 * found.uuidFound, 2 * found.topFound];
    expect(others).toEqual({ keyValues, logical, duckdbTypes, hasIndexes, sortedBy, uuidFound, topFound });
    // The row that is looked for lies in the second group, and in its copy.
    expect(groupsLeft).toEqual(
      Object.fromEntries(Object.keys(found.groupsLeft).map((name) => [name, [1, 1 + groups]])),
    );
    for (const [column, excludes] of Object.entries(bloomExcludes)) {
      expect(excludes.slice(groups), column).toEqual(excludes.slice(0, groups));
      expect(excludes[1], column).toBe(false);
    }
    for (const column of ['word', 'number']) expect(bloomExcludes[column]?.filter(Boolean).length).toBeGreaterThan(3);
    for (const [column, error] of Object.entries(damagedPages)) expect(error, column).toMatch(/CRC|checksum/i);
  });

  test('refuse a page whose bytes do not fit its checksum', () => {
    for (const [column, error] of Object.entries(found.damagedPages)) expect(error, column).toMatch(/CRC|checksum/i);
    expect(Object.keys(found.damagedPages).length).toBeGreaterThan(5);
  });
});

/** One file of the row groups of others, in memory. */
async function copyRowGroups(files: readonly Buffer[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const copier = new RowGroupCopier({ write: async (bytes) => void pieces.push(bytes) });
  for (const file of files) {
    const copyable = readCopyableFile(file, file.length);
    if (!copyable) throw new Error('the file is whole');
    await copier.add(copyable, async (offset, length) => file.subarray(offset, offset + length));
  }
  await copier.close();
  return Buffer.concat(pieces);
}

async function readFeatures(folder: string, file: Buffer): Promise<Features> {
  const target = path.join(folder, `${file.length}.parquet`);
  writeFileSync(target, file);
  const { stdout } = await runPython(path.join(PYTHON_FOLDER, 'read_features.py'), [target]);
  return JSON.parse(stdout) as Features;
}
