export { cacheFolder, makeOnce } from './cache.ts';
export { findFreePort } from './free-port.ts';
export { startPostgres, PostgresServer, type PostgresOptions, type StopMode } from './postgres.ts';
export { mustRun, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
