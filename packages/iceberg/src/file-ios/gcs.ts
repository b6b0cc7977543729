import type { Bucket, File, Storage, StorageOptions } from '@google-cloud/storage';
import { IcebergError } from '../errors.ts';
import type { FileIO, FileIOProperties, ListedFile } from '../file-io.ts';
import { importOptional } from '../optional-package.ts';
import { createGcsWriter } from './gcs-writer.ts';
import { areLent, expiresAtMs, refreshingProperties } from './vended-credentials.ts';

const PRECONDITION_FAILED = 412;

/** Requests are tried again for this long when the store asks to slow down or fails. */
const RETRY_SECONDS = 120;

/** Objects in Google Cloud Storage at `gs://bucket/key`. Google's library is loaded at the first use. */
export function createGcsFileIO(properties: FileIOProperties): FileIO {
  let connection: Promise<Storage> | undefined;
  const run = <T>(location: string, work: (file: File) => Promise<T>) =>
    guardGcs(location, async () => {
      const { bucket, key } = parseGcsLocation(location);
      return work((await (connection ??= connect(properties))).bucket(bucket).file(key));
    });
  return {
    read: (location) => run(location, async (file) => (await file.download())[0]),
    readRange: (location, offset, length) =>
      run(location, async (file) => (await file.download({ start: offset, end: offset + length - 1 }))[0]),
    write: (location, bytes) => run(location, (file) => file.save(Buffer.from(bytes), { resumable: false })),
    writeNew: (location, bytes) => run(location, (file) => saveNew(file, bytes)),
    createWriter: (location) => run(location, async (file) => createGcsWriter(file, location)),
    delete: (location) =>
      run(location, async (file) => {
        await file.delete({ ignoreNotFound: true });
      }),
    exists: (location) => run(location, async (file) => (await file.exists())[0]),
    list: (folder) => list(folder, async (bucket) => (await (connection ??= connect(properties))).bucket(bucket)),
  };
}

/** Runs a call of Google's library and turns its errors into IcebergErrors that name the object. */
export async function guardGcs<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof IcebergError) throw cause;
    const code = codeOf(cause);
    if (code === 404) throw new IcebergError('file_not_found', `${location} does not exist.`, { cause });
    throw new IcebergError('storage_failed', `${location} could not be used (${code ?? 'unknown error'}).`, { cause });
  }
}

function parseGcsLocation(location: string): { bucket: string; key: string } {
  const [, bucket, key] = /^gs:\/\/([^/]+)\/(.*)$/is.exec(location) ?? [];
  if (bucket === undefined || !key) {
    throw new IcebergError('invalid_argument', `"${location}" is not a location in Google Cloud Storage.`);
  }
  return { bucket, key };
}

async function connect(properties: FileIOProperties): Promise<Storage> {
  const { Storage: Client, IdempotencyStrategy } = await importOptional(
    '@google-cloud/storage',
    'storage at gs:',
    () => import('@google-cloud/storage'),
  );
  const endpoint = properties['gcs.service.host'];
  const projectId = properties['gcs.project-id'];
  const keyFilename = properties['gcs.key-file'];
  return new Client({
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    // Without a project the library asks Google's metadata server for one, which takes long where there is none.
    projectId: projectId ?? 'unused',
    ...(keyFilename !== undefined && { keyFilename }),
    ...(await authorization(properties)),
    // Files are written once under names of their own: writing the same bytes again changes nothing.
    retryOptions: {
      autoRetry: true,
      idempotencyStrategy: IdempotencyStrategy.RetryAlways,
      totalTimeout: RETRY_SECONDS,
    },
  });
}

/** A token of one's own or one that a catalog has lent; else Google's default credentials. */
async function authorization(properties: FileIOProperties): Promise<Pick<StorageOptions, 'authClient'>> {
  if (properties['gcs.oauth2.token'] === undefined && properties['gcs.no-auth'] !== 'true') return {};
  const { OAuth2Client, PassThroughClient } = await importOptional(
    'google-auth-library',
    'storage at gs:',
    () => import('google-auth-library'),
  );
  if (properties['gcs.oauth2.token'] === undefined) return { authClient: new PassThroughClient() };
  const current = refreshingProperties(properties);
  const client = new OAuth2Client();
  const credentials = async () => {
    const now = await current();
    const endsAtMs = expiresAtMs(now);
    // Nobody knows when a token of one's own ends; the library then takes it for good until Google refuses it.
    const untilMs = Number.isNaN(endsAtMs) && !areLent(now) ? Date.now() + 3_600_000 : endsAtMs;
    return { access_token: now['gcs.oauth2.token'] ?? '', expiry_date: untilMs };
  };
  client.refreshHandler = credentials;
  client.setCredentials(await credentials());
  return { authClient: client };
}

async function saveNew(file: File, bytes: Uint8Array): Promise<boolean> {
  try {
    await file.save(Buffer.from(bytes), { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    return true;
  } catch (error) {
    if (codeOf(error) === PRECONDITION_FAILED) return false;
    throw error;
  }
}

async function* list(folder: string, open: (bucket: string) => Promise<Bucket>): AsyncIterable<ListedFile> {
  const { bucket: name, key: prefix } = parseGcsLocation(`${folder.replace(/\/+$/, '')}/`);
  let pageToken: string | undefined;
  do {
    const query = { prefix, autoPaginate: false, ...(pageToken !== undefined && { pageToken }) };
    const [files, next] = await guardGcs(folder, async () => (await open(name)).getFiles(query));
    for (const { name: key, metadata } of files) {
      if (key.endsWith('/')) continue;
      const modifiedAtMs = Date.parse(metadata.updated ?? '');
      yield { location: `gs://${name}/${key}`, length: Number(metadata.size), modifiedAtMs };
    }
    pageToken = next?.pageToken;
  } while (pageToken !== undefined);
}

function codeOf(error: unknown): string | number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'number' || typeof code === 'string' ? code : undefined;
}
