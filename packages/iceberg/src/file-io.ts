import { IcebergError } from './errors.ts';
import { createLocalFileIO } from './file-ios/local.ts';
import { createS3FileIO } from './file-ios/s3.ts';

/** Reads and writes whole immutable files by location. All errors are IcebergErrors; a missing file is `file_not_found`. */
export interface FileIO {
  read(location: string): Promise<Uint8Array>;
  /** Reads `length` bytes from `offset`, fewer if the file ends before. */
  readRange(location: string, offset: number, length: number): Promise<Uint8Array>;
  /** Writes a file. Once the promise is kept, the file survives a crash. */
  write(location: string, bytes: Uint8Array): Promise<void>;
  /** Begins a file that is written in pieces. */
  createWriter(location: string): Promise<FileWriter>;
  /** Deletes a file; one that does not exist is no error. */
  delete(location: string): Promise<void>;
  exists(location: string): Promise<boolean>;
}

/** A file being written. End it with `close` or `abort`. */
export interface FileWriter {
  /** Takes a piece; wait for the promise before the next one, so that memory stays bounded. The piece must not be changed later. */
  write(chunk: Uint8Array): Promise<void>;
  /** Completes the file. Once the promise is kept, the file survives a crash. */
  close(): Promise<{ length: number }>;
  /** Gives the file up: nothing of it remains visible. */
  abort(): Promise<void>;
}

/**
 * Storage options as plain JSON, so that they can be sent to a worker thread; the names are those of PyIceberg and Iceberg's
 * S3FileIO: `s3.endpoint`, `s3.region`, `s3.access-key-id`, `s3.secret-access-key`, `s3.session-token`, `s3.path-style-access`.
 */
export type FileIOProperties = Readonly<Record<string, string>>;

/** Opens the storage that a location's scheme names: s3, s3a, s3n; file or an absolute path. Throws `unsupported` for others. */
export function openFileIO(location: string, properties: FileIOProperties = {}): FileIO {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]?.toLowerCase();
  switch (scheme) {
    case 's3':
    case 's3a':
    case 's3n':
      return createS3FileIO(properties);
    case 'file':
      return createLocalFileIO();
    case undefined:
      if (location.startsWith('/')) return createLocalFileIO();
      throw new IcebergError('invalid_argument', `Location "${location}" is neither an absolute path nor a URI.`);
    default:
      throw new IcebergError(
        'unsupported',
        `Location "${location}" has a scheme that is not supported; use s3: or file:.`,
      );
  }
}
