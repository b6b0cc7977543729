import { expect, test } from 'vitest';
import { compareTables } from './compare-tables.ts';
import { seed } from './seed.ts';

test(`PyArrow, DuckDB and parquet-wasm find every value and every statistic of random tables as they were (seed ${seed})`, async () => {
  const { compared, problems } = await compareTables({ seed, tables: 24, filesEach: 3 });
  expect(problems).toEqual([]);
  expect(compared).toMatchObject({ files: 72, wasm: 72 });
});
