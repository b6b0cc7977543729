import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { IcebergError } from '../errors.ts';
import type { FileIO, FileIOProperties, ListedFile } from '../file-io.ts';
import { type AzureConnection, connectAzure } from './azure-connection.ts';
import { PartWriter, type PartUpload } from './part-writer.ts';

/** Where a file is: `scheme://container@account.dfs.core.windows.net/path`. */
interface AzureLocation {
  readonly container: string;
  readonly host: string;
  readonly path: string;
}

/** Block blobs in Azure at `abfss://container@account.dfs.core.windows.net/path` or `wasbs://…`. The SDK is loaded at the first use. */
export function createAzureFileIO(properties: FileIOProperties): FileIO {
  const connections = new Map<string, AzureConnection>();
  const containerOf = async ({ host, container }: AzureLocation): Promise<ContainerClient> => {
    const connection = connections.get(host) ?? connectAzure(host, properties);
    connections.set(host, connection);
    return (await connection()).getContainerClient(container);
  };
  const run = <T>(location: string, work: (blob: BlockBlobClient) => Promise<T>) =>
    guardAzure(location, async () => {
      const parsed = parseAzureLocation(location);
      return work((await containerOf(parsed)).getBlockBlobClient(parsed.path));
    });
  return {
    read: (location) => run(location, (blob) => blob.downloadToBuffer()),
    readRange: (location, offset, length) => run(location, (blob) => readRange(blob, offset, length)),
    write: (location, bytes) =>
      run(location, async (blob) => {
        await blob.upload(Buffer.from(bytes), bytes.length);
      }),
    writeNew: (location, bytes) => run(location, (blob) => uploadNew(blob, bytes)),
    createWriter: (location) => run(location, async (blob) => new PartWriter(createAzureUpload(blob, location))),
    delete: (location) =>
      run(location, async (blob) => {
        await blob.deleteIfExists();
      }),
    exists: (location) => run(location, (blob) => blob.exists()),
    list: (folder) => list(folder, containerOf),
  };
}

function parseAzureLocation(location: string): AzureLocation {
  const [, container, host, path] = /^(?:abfss?|wasbs?):\/\/([^@/]+)@([^/]+)\/(.*)$/is.exec(location) ?? [];
  if (container === undefined || host === undefined || !path) {
    throw new IcebergError(
      'invalid_argument',
      `"${location}" is not a location in Azure: container@account.host is missing.`,
    );
  }
  return { container, host, path };
}

async function guardAzure<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof IcebergError) throw cause;
    const { code, statusCode } = factsOf(cause);
    if (code === 'BlobNotFound' || (statusCode === 404 && code === undefined)) {
      throw new IcebergError('file_not_found', `${location} does not exist.`, { cause });
    }
    const reason = code ?? statusCode ?? 'unknown error';
    throw new IcebergError('storage_failed', `${location} could not be used (${reason}).`, { cause });
  }
}

function factsOf(error: unknown): { code: string | undefined; statusCode: number | undefined } {
  const known = typeof error === 'object' && error !== null ? error : {};
  return {
    code: 'code' in known && typeof known.code === 'string' ? known.code : undefined,
    statusCode: 'statusCode' in known && typeof known.statusCode === 'number' ? known.statusCode : undefined,
  };
}

async function readRange(blob: BlockBlobClient, offset: number, length: number): Promise<Uint8Array> {
  // Unlike a plain download this one asks for what is there: a range may end behind the blob's end.
  const { contentLength = 0 } = await blob.getProperties();
  const available = Math.max(0, Math.min(length, contentLength - offset));
  return available === 0 ? new Uint8Array() : blob.downloadToBuffer(offset, available);
}

async function uploadNew(blob: BlockBlobClient, bytes: Uint8Array): Promise<boolean> {
  try {
    await blob.upload(Buffer.from(bytes), bytes.length, { conditions: { ifNoneMatch: '*' } });
    return true;
  } catch (error) {
    const { statusCode } = factsOf(error);
    if (statusCode === 409 || statusCode === 412) return false;
    throw error;
  }
}

/** Blocks that are not committed are invisible, and Azure drops them after a week. */
function createAzureUpload(blob: BlockBlobClient, location: string): PartUpload {
  const guard = (work: () => Promise<unknown>) =>
    guardAzure(location, async () => {
      await work();
    });
  return {
    location,
    putWhole: (bytes) => guard(() => blob.upload(Buffer.from(bytes), bytes.length)),
    putPart: (number, bytes) => guard(() => blob.stageBlock(blockId(number), Buffer.from(bytes), bytes.length)),
    complete: (parts) =>
      guard(() => blob.commitBlockList(Array.from({ length: parts }, (_, index) => blockId(index + 1)))),
    abort: async () => undefined,
  };
}

/** All ids of a blob must have the same length. */
function blockId(number: number): string {
  return Buffer.from(String(number).padStart(8, '0')).toString('base64');
}

async function* list(
  folder: string,
  containerOf: (location: AzureLocation) => Promise<ContainerClient>,
): AsyncIterable<ListedFile> {
  const location = parseAzureLocation(`${folder.replace(/\/+$/, '')}/`);
  const root = folder.slice(0, folder.indexOf('/', folder.indexOf('@')) + 1);
  const container = await guardAzure(folder, () => containerOf(location));
  const pages = container.listBlobsFlat({ prefix: location.path, includeMetadata: true }).byPage();
  for (;;) {
    const page = await guardAzure(folder, () => pages.next());
    if (page.done) return;
    for (const { name, properties, metadata } of page.value.segment.blobItems) {
      // Accounts with a hierarchical namespace list their folders too.
      if (metadata?.['hdi_isfolder'] === 'true') continue;
      const { contentLength = 0, lastModified } = properties;
      yield { location: `${root}${name}`, length: contentLength, modifiedAtMs: lastModified.getTime() };
    }
  }
}
