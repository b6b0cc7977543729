import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConnectorError } from '@fjord/core';
import type { DataFile, FileIO } from '@fjord/iceberg';
import { Limit } from '../limit.ts';
import type { PathOf } from './table-sql.ts';

/** Files fetched at once, and how much of each is asked for. */
const PARALLEL_FETCHES = 8;
const PIECE_BYTES = 8 * 1024 * 1024;

/** Where files that are not on this machine are copied to, and how many bytes of them there may be. */
export class LocalFiles {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #paths = new Map<string, string>();
  readonly #limit = new Limit(PARALLEL_FETCHES);
  #bytes = 0;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Sees to it that each file can be read by a path; `config_invalid` before the first is fetched if they would be too many bytes. */
  async provide(io: FileIO, files: Iterable<DataFile>): Promise<PathOf> {
    const missing = new Map<string, DataFile>();
    for (const file of files) {
      const { filePath } = file;
      const local = localPath(filePath);
      if (local !== undefined) this.#paths.set(filePath, local);
      else if (!this.#paths.has(filePath)) missing.set(filePath, file);
    }
    for (const { fileSizeInBytes } of missing.values()) this.#bytes += Number(fileSizeInBytes);
    if (this.#bytes > this.#maxBytes) throw tooMany(this.#bytes, this.#maxBytes);
    await Promise.all(Array.from(missing.values(), (file) => this.#limit.run(() => this.#fetch(io, file))));
    return ({ filePath }) => {
      const found = this.#paths.get(filePath);
      if (found === undefined) throw new Error(`a file that was not provided: ${filePath}`);
      return found;
    };
  }

  async #fetch(io: FileIO, { filePath, fileSizeInBytes }: DataFile): Promise<void> {
    const copy = path.join(this.#folder, `${this.#paths.size}.parquet`);
    this.#paths.set(filePath, copy);
    const pieces = async function* () {
      for (let at = 0; at < Number(fileSizeInBytes); at += PIECE_BYTES) {
        yield await io.readRange(filePath, at, Math.min(PIECE_BYTES, Number(fileSizeInBytes) - at));
      }
    };
    await pipeline(Readable.from(pieces()), createWriteStream(copy, { mode: 0o600 }));
  }
}

/** The path of a location on local disk, which is taken literally; undefined for any other storage. */
function localPath(location: string): string | undefined {
  if (location.startsWith('/')) return location;
  return /^file:(?:\/\/)?(\/.*)$/s.exec(location)?.[1];
}

function tooMany(bytes: number, maxBytes: number): ConnectorError {
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  return new ConnectorError(
    'config_invalid',
    `The query's tables have ${gigabytes(bytes)} in files that are not on this machine, more than the ${gigabytes(maxBytes)} that may be copied.`,
    { help: 'Raise option queryCopyMB of the destination, or query the tables where they are: docs/catalogs.md.' },
  );
}
