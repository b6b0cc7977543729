import type { BlobServiceClient, StoragePipelineOptions } from '@azure/storage-blob';
import type { FileIOProperties } from '../file-io.ts';
import { importOptional } from '../optional-package.ts';
import { refreshingProperties } from './vended-credentials.ts';

/** A client for an account, with credentials that are good now. */
export type AzureConnection = () => Promise<BlobServiceClient>;

type Sdk = typeof import('@azure/storage-blob');

/** The SDK waits up to 30 s between tries: enough for a store that asks to slow down. */
const PIPELINE: StoragePipelineOptions = { retryOptions: { maxTries: 7, maxRetryDelayInMs: 30_000 } };

/** Makes clients for the account that a location's host names, from the `adls.*` properties. */
export function connectAzure(host: string, properties: FileIOProperties): AzureConnection {
  const current = refreshingProperties(properties);
  let used: FileIOProperties | undefined;
  let client: Promise<BlobServiceClient> | undefined;
  return async () => {
    const now = await current();
    if (!client || now !== used) {
      used = now;
      client = makeClient(host, now);
    }
    return client;
  };
}

async function makeClient(host: string, properties: FileIOProperties): Promise<BlobServiceClient> {
  const sdk: Sdk = await importOptional(
    '@azure/storage-blob',
    'storage at abfss:',
    () => import('@azure/storage-blob'),
  );
  const account = host.split('.', 1)[0] ?? '';
  const connectionString = properties[`adls.connection-string.${account}`] ?? properties['adls.connection-string'];
  if (connectionString !== undefined) return sdk.BlobServiceClient.fromConnectionString(connectionString, PIPELINE);
  const endpoint = properties['adls.blob-endpoint'] ?? `https://${host.replace('.dfs.', '.blob.')}`;
  const sas =
    properties[`adls.sas-token.${host}`] ?? properties[`adls.sas-token.${account}`] ?? properties['adls.sas-token'];
  if (sas !== undefined) return new sdk.BlobServiceClient(`${endpoint}?${sas.replace(/^\?/, '')}`, undefined, PIPELINE);
  const key = properties['adls.account-key'] ?? properties['adls.auth.shared-key.account.key'];
  if (key !== undefined) {
    const name = properties['adls.account-name'] ?? properties['adls.auth.shared-key.account.name'] ?? account;
    return new sdk.BlobServiceClient(endpoint, new sdk.StorageSharedKeyCredential(name, key), PIPELINE);
  }
  return new sdk.BlobServiceClient(endpoint, await identityOf(properties), PIPELINE);
}

/** A service principal's credentials, or whatever identity the machine has. */
async function identityOf(properties: FileIOProperties) {
  const identity = await importOptional('@azure/identity', 'an Azure identity', () => import('@azure/identity'));
  const tenant = properties['adls.tenant-id'];
  const client = properties['adls.client-id'];
  const secret = properties['adls.client-secret'];
  if (tenant !== undefined && client !== undefined && secret !== undefined) {
    return new identity.ClientSecretCredential(tenant, client, secret);
  }
  return new identity.DefaultAzureCredential();
}
