export { cacheFolder, makeOnce } from './cache.ts';
export { findFreePort } from './free-port.ts';
export { startPostgres, PostgresServer, type PostgresOptions, type StopMode } from './postgres.ts';
export { python, runPython } from './python.ts';
export { readWithPostgres } from './read-postgres.ts';
export {
  readWithDuckDB,
  readWithPyIceberg,
  sortRows,
  type CanonicalValue,
  type DuckDBTable,
  type PyIcebergTable,
  type TableContents,
} from './read-table.ts';
export { mustRun, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
export { type S3Access } from './s3.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
