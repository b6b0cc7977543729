import { readdir } from 'node:fs/promises';
import { type S3Server, startS3 } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileIO, commitTable, openFileIO, openSqlCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile } from '../warehouse.ts';

let server: S3Server;
let properties: Record<string, string>;
let io: FileIO;
const at = (key: string) => `s3://${server.bucket}/${key}`;

beforeAll(async () => {
  server = await startS3();
  properties = {
    's3.endpoint': server.endpoint,
    's3.region': server.region,
    's3.access-key-id': server.accessKeyId,
    's3.secret-access-key': server.secretAccessKey,
  };
  io = openFileIO(at('x'), properties);
});

afterAll(() => server[Symbol.asyncDispose]());

/** Bytes that differ everywhere, so that a part out of place is seen. */
function pattern(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4) bytes.writeUInt32LE(offset, offset);
  return bytes;
}

describe('objects in S3', () => {
  test('are written, read in whole and in part, and deleted', async () => {
    const location = at('a b/ü/c%20d');
    expect(await io.exists(location)).toBe(false);
    await io.write(location, Uint8Array.of(1, 2, 3, 4));
    expect([...(await io.read(location))]).toEqual([1, 2, 3, 4]);
    expect([...(await io.readRange(location, 1, 2))]).toEqual([2, 3]);
    await io.delete(location);
    await io.delete(location);
    expect(await io.exists(location)).toBe(false);
    await expect(io.read(location)).rejects.toMatchObject({
      code: 'file_not_found',
      message: `${location} does not exist.`,
    });
  });

  test.each([0, 5, 8 * 1024 * 1024, 45 * 1024 * 1024 + 3])(
    'of %i bytes are written in pieces, the parts in order',
    async (length) => {
      const bytes = pattern(length);
      const writer = await io.createWriter(at(`pieces-${length}`));
      for (let offset = 0; offset < length; offset += 3_000_000)
        await writer.write(bytes.subarray(offset, offset + 3_000_000));
      expect(await writer.close()).toEqual({ length });
      expect(Buffer.compare(await io.read(at(`pieces-${length}`)), bytes)).toBe(0);
      await expect(writer.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'storage_failed' });
    },
  );

  test('that are given up leave nothing behind', async () => {
    const writer = await io.createWriter(at('given-up'));
    for (let round = 0; round < 3; round++) await writer.write(pattern(9_000_000));
    await writer.abort();
    expect(await io.exists(at('given-up'))).toBe(false);
    await expect(writer.close()).rejects.toMatchObject({ code: 'storage_failed' });
    expect((await readdir(server.folder)).filter((name) => name.includes('given-up'))).toEqual([]);
  });

  test('cannot be written with wrong keys: the error names the object and its reason', async () => {
    const wrong = openFileIO(at('x'), { ...properties, 's3.secret-access-key': 'wrong' });
    await expect(wrong.write(at('x'), Uint8Array.of(1))).rejects.toMatchObject({
      code: 'storage_failed',
      message: `${at('x')} could not be used (SignatureDoesNotMatch).`,
    });
    const writer = await wrong.createWriter(at('y'));
    await writer.write(pattern(9_000_000));
    await expect(writer.close()).rejects.toMatchObject({
      code: 'storage_failed',
      message: `${at('y')} could not be used (SignatureDoesNotMatch).`,
    });
  });

  test('hold a table', async () => {
    await using catalog = await openSqlCatalog({ uri: 'sqlite:///:memory:', warehouse: at('wh'), io: properties });
    await catalog.createNamespace(['shop']);
    await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
    const table = await commitTable(catalog, ORDERS, (seen) => stageSnapshot(seen, { append: [dataFile('a')] }));
    expect(table.location).toBe(at('wh/shop/orders'));
    const files = await Array.fromAsync(planFiles(table));
    expect(files.map(({ file }) => file.filePath)).toEqual(['/data/a']);
  });
});
