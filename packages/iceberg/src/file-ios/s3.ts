import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { IcebergError } from '../errors.ts';
import type { FileIO, FileIOProperties } from '../file-io.ts';
import { createMultipartWriter } from './s3-multipart.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK module and a client made from it. */
export interface S3Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** A bucket and a key in it. */
export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** Objects in S3 and compatible stores. The AWS SDK is loaded at the first use. */
export function createS3FileIO(properties: FileIOProperties): FileIO {
  let connection: Promise<S3Connection> | undefined;
  const connect = () => (connection ??= openConnection(properties));
  const run = <T>(location: string, work: (s3: S3Connection, object: S3Object) => Promise<T>) =>
    guardS3(location, async () => work(await connect(), parseS3Location(location)));
  return {
    read: (location) => run(location, (s3, object) => get(s3, object)),
    readRange: (location, offset, length) =>
      run(location, (s3, object) => get(s3, { ...object, Range: `bytes=${offset}-${offset + length - 1}` })),
    write: (location, bytes) =>
      run(location, async ({ client, sdk }, object) => {
        await client.send(new sdk.PutObjectCommand({ ...object, Body: bytes, ContentLength: bytes.length }));
      }),
    createWriter: (location) => run(location, async (s3, object) => createMultipartWriter(s3, object, location)),
    delete: (location) =>
      run(location, async ({ client, sdk }, object) => {
        await client.send(new sdk.DeleteObjectCommand(object));
      }),
    exists: (location) => run(location, head),
  };
}

/** Bucket and key of `s3://bucket/key` (also s3a and s3n). The key is taken as it is, without decoding `%`. */
export function parseS3Location(location: string): S3Object {
  const [, bucket, key] = /^s3[an]?:\/\/([^/]+)\/(.+)$/is.exec(location) ?? [];
  if (bucket === undefined || key === undefined)
    throw new IcebergError('invalid_argument', `"${location}" is not an S3 location.`);
  return { Bucket: bucket, Key: key };
}

/** Runs an S3 call and turns its errors into IcebergErrors that name the object. */
export async function guardS3<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof IcebergError) throw cause;
    const name = cause instanceof Error ? cause.name : 'unknown error';
    if (name === 'NoSuchKey' || name === 'NotFound')
      throw new IcebergError('file_not_found', `${location} does not exist.`, { cause });
    throw new IcebergError('storage_failed', `${location} could not be used (${name}).`, { cause });
  }
}

async function openConnection(properties: FileIOProperties): Promise<S3Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  return { sdk, client: new sdk.S3Client(clientConfig(properties)) };
}

function clientConfig(properties: FileIOProperties): S3ClientConfig {
  const accessKeyId = properties['s3.access-key-id'];
  const secretAccessKey = properties['s3.secret-access-key'];
  const sessionToken = properties['s3.session-token'];
  const endpoint = properties['s3.endpoint'];
  const region = properties['s3.region'] ?? properties['client.region'];
  // Stores beside AWS rarely serve a name per bucket, so an endpoint of one's own means path style unless said.
  const pathStyle = properties['s3.path-style-access'] ?? String(endpoint !== undefined);
  return {
    forcePathStyle: pathStyle === 'true',
    // Older compatible stores refuse the trailing checksums that the SDK would add by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  };
}

async function get({ client, sdk }: S3Connection, request: S3Object & { Range?: string }): Promise<Uint8Array> {
  const { Body } = await client.send(new sdk.GetObjectCommand(request));
  return Body ? Body.transformToByteArray() : new Uint8Array();
}

async function head({ client, sdk }: S3Connection, object: S3Object): Promise<boolean> {
  try {
    await client.send(new sdk.HeadObjectCommand(object));
    return true;
  } catch (error) {
    if (error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey')) return false;
    throw error;
  }
}
