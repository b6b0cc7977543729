import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { startS3 } from '@fjord/test-harness';
import type { Options } from './options.ts';

/** What a run has written: data files, their bytes, and the rows that their footers tell. */
export type Written = { rows: number; files: number; bytes: number };

/** Where a benchmark's rows go: its part of the pipeline file, and a look at what arrived (absent if nothing is kept). */
export interface Target extends AsyncDisposable {
  destination: { connector: string; config: Record<string, unknown> };
  findWritten?(): Promise<Written>;
}

/** A new warehouse in `folder` or on an S3 server of its own, or the destination that throws everything away. */
export async function openTarget({ name, s3 }: Options, folder: string): Promise<Target> {
  if (name === 'null-destination') {
    const connector = path.join(import.meta.dirname, 'null-destination.ts');
    return { destination: { connector, config: {} }, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  if (s3) return s3Target(folder);
  const warehouse = path.join(folder, 'warehouse');
  return {
    destination: { connector: 'iceberg', config: { warehouse } },
    findWritten: () => findWritten(warehouse),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function s3Target(folder: string): Promise<Target> {
  const server = await startS3();
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
  const config = {
    warehouse: `s3://${bucket}/warehouse`,
    catalog: { type: 'sqlite', file: path.join(folder, 'catalog.db'), name: 'fjord' },
    s3: { endpoint, region, accessKeyId, secretAccessKey, pathStyle: true },
  };
  return {
    destination: { connector: 'iceberg', config },
    findWritten: () => findWritten(server.folder),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function findWritten(folder: string): Promise<Written> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.parquet'));
  const files = names.map((name) => path.join(folder, name));
  const sizes = await Promise.all(files.map((file) => stat(file)));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  return { rows: files.length === 0 ? 0 : await countRows(files), files: files.length, bytes };
}

async function countRows(files: string[]): Promise<number> {
  const connection = await (await DuckDBInstance.create()).connect();
  const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
  const result = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM read_parquet([${list}])`);
  return Number(result.getRowsJson()[0]?.[0]);
}
