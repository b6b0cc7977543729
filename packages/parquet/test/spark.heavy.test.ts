import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, runSpark, temporaryFolder } from '@fjord/test-harness';
import { describe, expect, test } from 'vitest';
import { makeFiles } from './compare-tables.ts';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';
import { seed } from './seed.ts';

const ROWS = 20_000;
const PAGE_ROWS = 1024;

describe('Spark', () => {
  test(`reads every value of random tables with every codec and encoding (seed ${seed})`, async () => {
    await using folder = await temporaryFolder('parquet');
    await makeFiles(folder.path, { seed, tables: 15, filesEach: 2, types: 'spark' });
    const report = await readWithSpark('check_with_spark.py', [folder.path]);
    expect(report).toMatchObject({ problems: [], files: readdirSync(folder.path).filter(isParquet).length });
  });

  test('reads only the pages, and only the row groups, that may hold a value', async () => {
    await using folder = await temporaryFolder('parquet');
    const source = path.join(folder.path, 'table.arrows');
    await runPython(path.join(PYTHON_FOLDER, 'make_features.py'), [source, String(ROWS)]);
    const stream = readFileSync(source);
    const common = { plainColumns: false, pageBytes: 8 * PAGE_ROWS, uuidLogicalType: false } as const;
    const files = {
      pages: await encode([stream], common),
      groups: await encode([stream], { ...common, rowGroupRows: 4 * PAGE_ROWS, pageIndex: false }),
      neither: await encode([stream], { ...common, pageIndex: false }),
      bloom: await encode([stream], {
        ...common,
        rowGroupRows: 4 * PAGE_ROWS,
        pageIndex: false,
        bloomFilters: ['number', 'word'],
      }),
    };
    for (const [name, { file }] of Object.entries(files))
      writeFileSync(path.join(folder.path, `${name}.parquet`), file);
    const scanned = (await readWithSpark('count_scanned_rows.py', [folder.path])) as Record<
      string,
      Record<string, number>
    >;
    for (const column of ['id', 'small', 'day', 'price', 'at', 'real', 'word']) {
      // A page of 32-bit values holds 2,048 of them, and a value that comes again may lie in two pages.
      expect(scanned['pages']?.[column], `pages by ${column}`).toBeLessThanOrEqual(5 * PAGE_ROWS);
      expect(scanned['pages']?.[column], `pages by ${column}`).toBeGreaterThan(0);
      expect(scanned['groups']?.[column], `row groups by ${column}`).toBe(4 * PAGE_ROWS);
    }
    expect(scanned['neither']?.['id']).toBe(ROWS);
    expect(scanned['bloom']?.['number']).toBe(4 * PAGE_ROWS);
    expect(scanned['groups']?.['number']).toBe(ROWS);
  });
});

async function readWithSpark(program: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await runSpark(readFileSync(path.join(PYTHON_FOLDER, program), 'utf8'), [PYTHON_FOLDER, ...args]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

function isParquet(name: string): boolean {
  return name.endsWith('.parquet');
}
