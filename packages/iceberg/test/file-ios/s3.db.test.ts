import { readdir } from 'node:fs/promises';
import { type S3Server, startS3 } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileIO, openFileIO } from '../../src/index.ts';
import { describeFileIO, pattern } from './contract.ts';

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

describeFileIO('objects in S3', () => ({ folder: at('contract'), properties }));

describe('objects in S3', () => {
  test('that are given up leave no parts behind', async () => {
    const writer = await io.createWriter(at('given-up'));
    for (let round = 0; round < 3; round++) await writer.write(pattern(9_000_000));
    await writer.abort();
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
});
