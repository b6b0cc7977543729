import { expect, test } from 'vitest';
import { readWithPyIceberg, readWithSpark, runPython, temporaryFolder } from '../src/index.ts';

const WRITE_TABLE = new URL('write_table.py', import.meta.url).pathname;

test('Spark gives the same text as PyIceberg', async () => {
  await using folder = await temporaryFolder();
  const { stdout } = await runPython(WRITE_TABLE, [`file://${folder.path}`, folder.path, 't']);
  const metadataLocation = stdout.trim();
  const spark = await readWithSpark({ metadataLocation });
  const pyiceberg = await readWithPyIceberg({ metadataLocation });
  expect(spark.rows).toEqual(pyiceberg.rows);
  expect(spark.columns.slice(2, 6)).toEqual([
    { name: 'l', type: 'bigint' },
    { name: 'f', type: 'float' },
    { name: 'd', type: 'double' },
    { name: 'n', type: 'decimal(18,4)' },
  ]);
});

test('Spark refuses a table with a time column', async () => {
  await using folder = await temporaryFolder();
  const { stdout } = await runPython(WRITE_TABLE, [`file://${folder.path}`, folder.path]);
  await expect(readWithSpark({ metadataLocation: stdout.trim() })).rejects.toThrow(
    'Spark does not support time fields',
  );
});
