import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFooter } from '../src/index.ts';

const FOLDER = path.join(import.meta.dirname, 'parquet-testing');

/** Rows, leaves, repeated leaves and row groups, as PyArrow counts them. */
const GOOD: Record<string, [rows: bigint, leaves: number, repeated: number, rowGroups: number]> = {
  'alltypes_plain.snappy': [2n, 11, 0, 1],
  column_chunk_key_value_metadata: [0n, 2, 0, 1],
  'datapage_v2.snappy': [5n, 5, 1, 1],
  'dict-page-offset-zero': [39n, 1, 0, 1],
  fixed_length_decimal_legacy: [24n, 1, 0, 1],
  int96_from_spark: [6n, 1, 0, 1],
  'nested_lists.snappy': [3n, 2, 1, 1],
  null_list: [1n, 1, 1, 1],
  old_list_structure: [1n, 1, 1, 1],
  sort_columns: [6n, 2, 0, 2],
};

const BAD: Record<string, string> = {
  'PARQUET-1481': 'it has a column of the unknown type -7',
  'ARROW-RS-GH-6229-DICTHEADER': 'a column lies outside of it',
};

describe("a file of Apache's parquet-testing", () => {
  test.each(Object.entries(GOOD))('that is sound is read: %s', (name, [rows, leaves, repeated, rowGroups]) => {
    const file = readFileSync(path.join(FOLDER, `${name}.parquet`));
    const footer = readFooter(file, file.length);
    expect(footer?.rowCount).toBe(rows);
    expect(footer?.leaves.length).toBe(leaves);
    expect(footer?.leaves.filter(({ isRepeated }) => isRepeated).length).toBe(repeated);
    expect(footer?.rowGroups.length).toBe(rowGroups);
  });

  test.each(Object.entries(BAD))('that is bad is refused: %s', (name, message) => {
    const file = readFileSync(path.join(FOLDER, `${name}.parquet`));
    expect(() => readFooter(file, file.length)).toThrow(message);
  });

  test('is one of those above', () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith('.parquet'));
    expect(names.map((name) => name.slice(0, -'.parquet'.length)).toSorted()).toEqual(
      [...Object.keys(GOOD), ...Object.keys(BAD)].toSorted(),
    );
  });
});
