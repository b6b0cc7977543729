import { expect, test } from 'vitest';
import { compareTables } from './compare-tables.ts';
import { seed } from './seed.ts';

test(`PyArrow, DuckDB and parquet-wasm agree about hundreds of random tables (seed ${seed})`, async () => {
  const { compared, problems } = await compareTables({ seed: seed + 1, tables: 100, filesEach: 4 });
  expect(problems).toEqual([]);
  expect(compared).toMatchObject({ files: 400, wasm: 400 });
});
