import { type GcsServer, startGcs } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFileIO } from '../../src/index.ts';
import { describeFileIO } from './contract.ts';

let server: GcsServer;
let properties: Record<string, string>;

beforeAll(async () => {
  server = await startGcs();
  properties = { 'gcs.service.host': server.endpoint, 'gcs.no-auth': 'true' };
});
afterAll(() => server[Symbol.asyncDispose]());

describeFileIO("objects in Google Cloud Storage's stand-in", () => ({
  folder: `gs://${server.bucket}/contract`,
  properties,
}));

test('a bucket that is not there is told by the name of the object', async () => {
  const io = openFileIO('gs://nowhere/x', properties);
  await expect(io.write('gs://nowhere/x', Uint8Array.of(1))).rejects.toMatchObject({
    message: expect.stringContaining('gs://nowhere/x'),
  });
});
