import { BlobServiceClient } from '@azure/storage-blob';
import { type AzureServer, startAzure } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFileIO } from '../../src/index.ts';
import { describeFileIO } from './contract.ts';

let server: AzureServer;

beforeAll(async () => {
  server = await startAzure();
  await BlobServiceClient.fromConnectionString(server.connectionString).createContainer('lake');
});
afterAll(() => server[Symbol.asyncDispose]());

const folder = () => `abfss://lake@${server.account}.dfs.core.windows.net/contract`;

describeFileIO("blobs in Azure's emulator, by a connection string", () => ({
  folder: folder(),
  properties: { 'adls.connection-string': server.connectionString },
}));

test.each(['wasbs', 'abfs', 'abfss'])('an account key opens %s: as well', async (scheme) => {
  const location = folder().replace('abfss', scheme) + '/by-key';
  const io = openFileIO(location, { 'adls.blob-endpoint': server.endpoint, 'adls.account-key': server.key });
  await io.write(location, Uint8Array.of(1));
  expect([...(await io.read(location))]).toEqual([1]);
});

test('a wrong key is told by the name of the blob, and the key is not in the message', async () => {
  const key = Buffer.from('not the key').toString('base64');
  const io = openFileIO(folder(), { 'adls.blob-endpoint': server.endpoint, 'adls.account-key': key });
  await expect(io.write(`${folder()}/x`, Uint8Array.of(1))).rejects.toMatchObject({
    code: 'storage_failed',
    message: `${folder()}/x could not be used (AuthorizationFailure).`,
  });
});

test('a shared access signature opens what it is for', async () => {
  const client = BlobServiceClient.fromConnectionString(server.connectionString);
  const { ContainerSASPermissions } = await import('@azure/storage-blob');
  const permissions = ContainerSASPermissions.parse('rwdl');
  const expiresOn = new Date(Date.now() + 3_600_000);
  const url = await client.getContainerClient('lake').generateSasUrl({ permissions, expiresOn });
  const sas = new URL(url).search.slice(1);
  const location = `${folder()}/by-sas`;
  const io = openFileIO(location, { 'adls.blob-endpoint': server.endpoint, 'adls.sas-token': sas });
  await io.write(location, Uint8Array.of(1));
  expect([...(await io.read(location))]).toEqual([1]);
});
