import { IcebergError } from '../errors.ts';
import type { FileIO, FileIOProperties, ListedFile } from '../file-io.ts';
import { PartWriter } from './part-writer.ts';
import { type S3Connection, openS3Connection } from './s3-connection.ts';
import { createS3Upload } from './s3-upload.ts';

const MAX_PUT_NEW_ATTEMPTS = 5;

/** A bucket and a key in it. */
export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** Objects in S3 and compatible stores. The AWS SDK is loaded at the first use. */
export function createS3FileIO(properties: FileIOProperties): FileIO {
  let connection: Promise<S3Connection> | undefined;
  const connect = () => (connection ??= openS3Connection(properties));
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
    writeNew: (location, bytes) => run(location, (s3, object) => putNew(s3, object, bytes)),
    createWriter: (location) =>
      run(location, async (s3, object) => new PartWriter(createS3Upload(s3, object, location))),
    delete: (location) =>
      run(location, async ({ client, sdk }, object) => {
        await client.send(new sdk.DeleteObjectCommand(object));
      }),
    exists: (location) => run(location, head),
    copy: (from, to) =>
      run(from, async ({ client, sdk }, { Bucket, Key }) => {
        const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;
        await client.send(new sdk.CopyObjectCommand({ ...parseS3Location(to), CopySource }));
      }),
    list: (folder) => list(connect, folder),
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
    const name = nameOf(cause);
    if (name === 'NoSuchKey' || name === 'NotFound')
      throw new IcebergError('file_not_found', `${location} does not exist.`, { cause });
    throw new IcebergError('storage_failed', `${location} could not be used (${name}).`, { cause });
  }
}

/** The SDK names what the store answered; what broke before an answer has Node's code. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const isPlain = error.name === 'Error' || error.name === 'AggregateError';
  return isPlain && 'code' in error && typeof error.code === 'string' ? error.code : error.name;
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

/** Of those who put at once S3 tells some to try again (409): who was first is known a moment later. */
async function putNew({ client, sdk }: S3Connection, object: S3Object, Body: Uint8Array): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(new sdk.PutObjectCommand({ ...object, Body, ContentLength: Body.length, IfNoneMatch: '*' }));
      return true;
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (name === 'PreconditionFailed') return false;
      if (name !== 'ConditionalRequestConflict' || attempt >= MAX_PUT_NEW_ATTEMPTS) throw error;
    }
  }
}

async function* list(connect: () => Promise<S3Connection>, folder: string): AsyncIterable<ListedFile> {
  const { Bucket, Key } = parseS3Location(`${folder.replace(/\/+$/, '')}/`);
  const root = folder.slice(0, folder.indexOf('/', folder.indexOf('://') + 3) + 1);
  let ContinuationToken: string | undefined;
  do {
    const page = await guardS3(folder, async () => {
      const { client, sdk } = await connect();
      return client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: Key, ContinuationToken }));
    });
    for (const { Key: key, Size, LastModified } of page.Contents ?? []) {
      if (key === undefined || key.endsWith('/')) continue;
      yield { location: `${root}${key}`, length: Size ?? 0, modifiedAtMs: LastModified?.getTime() ?? 0 };
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}
