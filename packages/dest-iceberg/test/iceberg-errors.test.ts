import path from 'node:path';
import { temporaryFolder } from '@fjord/test-harness';
import { expect, test, vi } from 'vitest';
import { toConnectorError } from '../src/iceberg-errors.ts';
import { openParquetPool, type ParquetPoolOptions } from '../src/parquet/sink.ts';
import { batchOf, fieldsOf } from './parquet/batches.ts';

/** Threads start slowly on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

const OPTIONAL = [{ name: 'id', type: 'long', nullable: true }];
const REQUIRED = [{ name: 'id', type: 'long', nullable: false }];

/** What a user is told when an encoder thread fails at a null in a column that the table requires. */
async function faultOf(options: Partial<ParquetPoolOptions>) {
  await using folder = await temporaryFolder('parquet-errors');
  await using pool = openParquetPool({ workers: 1, memoryBytes: 1024 * 1024, io: {}, ...options });
  const writer = pool.openFile({ prefix: path.join(folder.path, 'a'), fields: fieldsOf(REQUIRED) });
  await writer.write(batchOf(OPTIONAL, [{ id: null }]));
  const thrown: unknown = await writer.close().catch((error: unknown) => error);
  await writer.abort();
  return toConnectorError(thrown, 'public.trips');
}

test('a fault of the encoder in its thread names stream and column', async () => {
  expect(await faultOf({})).toMatchObject({
    code: 'protocol_violation',
    stream: 'public.trips',
    message: 'Stream public.trips cannot be written: Column "id" is required, but an Arrow batch has a null there.',
  });
});

test('an option that the encoder refuses in its thread is one of the config', async () => {
  const error = await faultOf({ compression: 'gzip', compressionLevel: 12 });
  expect(error.code).toBe('config_invalid');
  expect(error.message).toContain('compressionLevel');
});
