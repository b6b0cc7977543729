import { IcebergError } from './errors.ts';
import { createAzureFileIO } from './file-ios/azure.ts';
import { createGcsFileIO } from './file-ios/gcs.ts';
import { createLocalFileIO } from './file-ios/local.ts';
import { createS3FileIO } from './file-ios/s3.ts';

/** Reads and writes whole immutable files by location. All errors are IcebergErrors; a missing file is `file_not_found`. */
export interface FileIO {
  read(location: string): Promise<Uint8Array>;
  /** Reads `length` bytes from `offset`, fewer if the file ends before. */
  readRange(location: string, offset: number, length: number): Promise<Uint8Array>;
  /** Writes a file. Once the promise is kept, the file survives a crash. */
  write(location: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file unless there is one already; tells whether it did. Of several who try at once, one does. */
  writeNew(location: string, bytes: Uint8Array): Promise<boolean>;
  /** Begins a file that is written in pieces. */
  createWriter(location: string): Promise<FileWriter>;
  /** Deletes a file; one that does not exist is no error. */
  delete(location: string): Promise<void>;
  exists(location: string): Promise<boolean>;
  /** Copies a file without reading it here; see `copyFile` for storages that cannot. */
  copy?(from: string, to: string): Promise<void>;
  /** All files in a folder and the folders below it, in no particular order. A folder that does not exist holds nothing. */
  list(folder: string): AsyncIterable<ListedFile>;
}

/** A file as a listing shows it. */
export interface ListedFile {
  readonly location: string;
  readonly length: number;
  readonly modifiedAtMs: number;
}

/** A file being written. End it with `close` or `abort`. */
export interface FileWriter {
  /** Takes a piece; wait for the promise before the next one, so that memory stays bounded. The piece must not be changed later, unless `givesBack`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Whether a piece is done with once `write` has resolved: its memory is the caller's again. */
  readonly givesBack?: boolean;
  /** Completes the file. Once the promise is kept, the file survives a crash. */
  close(): Promise<{ length: number }>;
  /** Gives the file up: nothing of it remains visible. */
  abort(): Promise<void>;
}

/**
 * Storage options as plain JSON, so that they can be sent to a worker thread. The names are those of PyIceberg and of Iceberg's own
 * FileIOs: `s3.endpoint`, `s3.access-key-id`, `gcs.oauth2.token`, `adls.sas-token`, …; docs/catalogs.md lists them.
 */
export type FileIOProperties = Readonly<Record<string, string>>;

type OpenFileIO = (properties: FileIOProperties) => FileIO;

/** Each loads its vendor's SDK at the first use of a file, not before. */
const FILE_IOS: Readonly<Record<string, OpenFileIO>> = {
  file: createLocalFileIO,
  s3: createS3FileIO,
  s3a: createS3FileIO,
  s3n: createS3FileIO,
  gs: createGcsFileIO,
  abfs: createAzureFileIO,
  abfss: createAzureFileIO,
  wasb: createAzureFileIO,
  wasbs: createAzureFileIO,
};

/** Opens the storage that a location's scheme names; an absolute path is on local disk. Throws `unsupported` for others. */
export function openFileIO(location: string, properties: FileIOProperties = {}): FileIO {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined && !location.startsWith('/')) {
    throw new IcebergError('invalid_argument', `Location "${location}" is neither an absolute path nor a URI.`);
  }
  const open = FILE_IOS[scheme ?? 'file'];
  if (open) return open(properties);
  const known = Object.keys(FILE_IOS).join(', ');
  throw new IcebergError(
    'unsupported',
    `Location "${location}" has a scheme that is not supported; use one of ${known}.`,
  );
}

/** Opens each kind of storage once, so that all files of a kind share its connections. */
export function shareFileIOs(properties: FileIOProperties): (location: string) => FileIO {
  const opened = new Map<string, FileIO>();
  return (location) => {
    const scheme = location.split(':', 1)[0] ?? '';
    const io = opened.get(scheme) ?? openFileIO(location, properties);
    opened.set(scheme, io);
    return io;
  };
}
