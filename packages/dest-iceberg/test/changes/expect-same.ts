import { readWithDuckDB, readWithPyIceberg, sortRows } from '@fjord/test-harness';
import { expect } from 'vitest';
import type { Lake } from '../write-process.ts';
import type { RandomTable } from './random-table.ts';

/** Compares the rows of the lake's table, as DuckDB and PyIceberg read them, with those of a random table. */
export async function expectSame(lake: Lake, table: RandomTable, { hasKeyDeletes = false } = {}): Promise<void> {
  const found = await lake.table();
  if (!found) throw new Error('there is no table');
  const { metadataLocation } = found;
  const columns = table.columns.map(({ name }) => name);
  const expected = sortRows(table.expected());
  const list = columns.map((name) => `"${name}"`).join(', ');
  const duck = await readWithDuckDB({ metadataLocation, sql: `SELECT ${list} FROM lake` });
  expect(sortRows(duck.rows)).toEqual(expected);
  // PyIceberg refuses tables with equality deletes.
  if (hasKeyDeletes) return;
  const py = await readWithPyIceberg({ metadataLocation, columns });
  expect(sortRows(py.rows)).toEqual(expected);
}
