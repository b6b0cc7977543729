import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { FileIOProperties } from '../file-io.ts';
import { refreshingProperties } from './vended-credentials.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK module and a client made from it. */
export interface S3Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** The SDK waits up to 20 s between attempts: seven outlast a store that asks to slow down for half a minute. */
const MAX_ATTEMPTS = 7;

/** Loads the AWS SDK and makes a client of the `s3.*` properties; without keys AWS's own chain is asked for them. */
export async function openS3Connection(properties: FileIOProperties): Promise<S3Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  return { sdk, client: new sdk.S3Client(clientConfig(properties)) };
}

function clientConfig(properties: FileIOProperties): S3ClientConfig {
  const endpoint = properties['s3.endpoint'];
  const region = properties['s3.region'] ?? properties['client.region'];
  // Stores beside AWS rarely serve a name per bucket, so an endpoint of one's own means path style unless said.
  const pathStyle = properties['s3.path-style-access'] ?? String(endpoint !== undefined);
  // Older compatible stores refuse the checksums that the SDK would add by default.
  const checksums = properties['s3.checksum-enabled'] === 'true' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const credentials = credentialsOf(properties);
  return {
    forcePathStyle: pathStyle === 'true',
    maxAttempts: MAX_ATTEMPTS,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  };
}

/** The SDK asks again once `expiration` comes near, or after an answer that says the keys have expired. */
function credentialsOf(properties: FileIOProperties): S3ClientConfig['credentials'] {
  if (properties['s3.access-key-id'] === undefined && properties['credentials.uri'] === undefined) return undefined;
  const current = refreshingProperties(properties);
  return async () => {
    const {
      's3.access-key-id': accessKeyId = '',
      's3.secret-access-key': secretAccessKey = '',
      ...rest
    } = await current();
    const sessionToken = rest['s3.session-token'];
    const expiresAtMs = Number(rest['s3.session-token-expires-at-ms']);
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      ...(expiresAtMs > 0 && { expiration: new Date(expiresAtMs) }),
    };
  };
}
