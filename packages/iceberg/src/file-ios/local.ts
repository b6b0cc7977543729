import { randomUUID } from 'node:crypto';
import { type FileHandle, access, link, mkdir, open, opendir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IcebergError } from '../errors.ts';
import type { FileIO, FileWriter, ListedFile } from '../file-io.ts';

/** Files on local disk, at `file:///…` or plain absolute paths. A file counts as written once it and its folder are synced. */
export function createLocalFileIO(): FileIO {
  return {
    read: (location) => guard(location, () => readFile(toPath(location))),
    readRange: (location, offset, length) => guard(location, () => readRange(toPath(location), offset, length)),
    async write(location, bytes) {
      const writer = await createWriter(location);
      await writer.write(bytes);
      await writer.close();
    },
    writeNew,
    createWriter,
    list,
    copy: (from, to) => guard(from, () => linkFile(toPath(from), toPath(to))),
    delete: (location) => guard(location, () => rm(toPath(location), { force: true })),
    exists: (location) =>
      access(toPath(location)).then(
        () => true,
        () => false,
      ),
  };
}

/** The path that a location names. Like Hadoop and PyIceberg it takes the URI's path as it is, without decoding `%`. */
export function toPath(location: string): string {
  if (location.startsWith('/')) return location;
  const path = /^file:(?:\/\/)?(\/.*)$/is.exec(location)?.[1];
  if (path === undefined) throw new IcebergError('invalid_argument', `"${location}" is not a location on local disk.`);
  return path;
}

async function createWriter(location: string): Promise<FileWriter> {
  const path = toPath(location);
  const file = await guard(location, () => openNew(path));
  let length = 0;
  const abort = async () => {
    await file.close();
    await guard(location, () => rm(path, { force: true }));
  };
  const orAbort = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await guard(location, work);
    } catch (error) {
      await abort().catch(() => undefined);
      throw error;
    }
  };
  return {
    givesBack: true,
    write: (chunk) =>
      orAbort(async () => {
        await writeFully(file, chunk);
        length += chunk.length;
      }),
    close: () =>
      orAbort(async () => {
        await file.sync();
        await file.close();
        await syncFolder(dirname(path));
        return { length };
      }),
    abort,
  };
}

/** Files never change: a second name is a copy. */
async function linkFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to);
  await syncFolder(dirname(to));
}

/** Written beside and then linked: a link is made or refused at once, so that nobody sees half a file under the name. */
async function writeNew(location: string, bytes: Uint8Array): Promise<boolean> {
  const path = toPath(location);
  const draft = `${path}.${randomUUID()}.tmp`;
  const writer = await createWriter(draft);
  await writer.write(bytes);
  await writer.close();
  return guard(location, async () => {
    try {
      await link(draft, path);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  });
}

async function* list(folder: string): AsyncIterable<ListedFile> {
  const root = toPath(folder).replace(/\/+$/, '');
  const prefix = folder.replace(/\/+$/, '');
  const entries = await guard(folder, () => opendir(root, { recursive: true }).catch(ignoreMissing));
  if (!entries) return;
  for await (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(ignoreMissing);
    if (!found) continue;
    yield { location: `${prefix}${path.slice(root.length)}`, length: found.size, modifiedAtMs: found.mtimeMs };
  }
}

/** A file may be deleted while its folder is listed. */
function ignoreMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    return open(path, 'w');
  }
}

/** A folder is an entry of its parent: without syncing those, a crash could lose the folder with the file in it. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOneFolder(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(folder));
    await makeOneFolder(folder);
  }
}

/** One at a time: Node's recursive way says ENOENT of a file system that is mounted read-only. */
async function makeOneFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset, chunk.length - offset);
    offset += bytesWritten;
  }
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function guard<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof IcebergError) throw cause;
    if (errorCode(cause) === 'ENOENT')
      throw new IcebergError('file_not_found', `${location} does not exist.`, { cause });
    throw new IcebergError(
      'storage_failed',
      `${location} could not be used (${errorCode(cause) ?? 'unknown error'}).`,
      { cause },
    );
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
