import { createSchema, newTableMetadata } from '@fjord/iceberg';
import { expect, test } from 'vitest';
import { filePrefix, mayHoldChanges } from '../src/file-layout.ts';

test('only files of chunks, and what the pipeline made of them, hold nothing but copied rows', () => {
  const schema = createSchema([{ name: 'id', type: 'long' }]);
  const plain = newTableMetadata({ schema, location: 's3://lake/t' });
  const hashed = newTableMetadata({
    schema,
    location: 's3://lake/t',
    properties: { 'write.object-storage.enabled': 'true' },
  });
  for (const metadata of [plain, hashed]) {
    const name = { pipeline: 'p', generation: 1 };
    const may = (path: string) => mayHoldChanges('p', metadata, path);
    expect(may(`${filePrefix(metadata, { ...name, chunk: 'changes-g1' })}-0.parquet`)).toBe(false);
    expect(may(`${filePrefix(metadata, { ...name, chunk: undefined, partition: 'day=1' })}-0.parquet`)).toBe(true);
  }
  expect(mayHoldChanges('p', plain, 's3://lake/t/data/p/compacted-0.parquet')).toBe(false);
  expect(mayHoldChanges('p', plain, 's3://lake/t/data/00000-spark.parquet')).toBe(true);
});
