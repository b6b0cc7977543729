export { prepareAzure, startAzure, type AzureServer } from './azure.ts';
export { cacheFolder, makeOnce } from './cache.ts';
export { makeCertificateAuthority, type Certificate, type CertificateAuthority } from './certificates.ts';
export { findFreePort } from './free-port.ts';
export { findOldNode, installPacked, versionOf } from './packed-packages.ts';
export { preparePgBouncer, startPgBouncer, type PgBouncer, type PgBouncerOptions } from './pgbouncer.ts';
export { copyCluster, startPostgresStandby } from './postgres-standby.ts';
export { prepareGcs, startGcs, type GcsServer } from './gcs.ts';
export { prepareHiveMetastore, startHiveMetastore, type HiveMetastore } from './hive-metastore.ts';
export { findMountProblem, mountMemoryDisk, type MemoryDisk } from './memory-disk.ts';
export { startHttpFaults, type HttpCall, type HttpFault, type HttpFaults } from './http-faults.ts';
export { prepareMariaDB, startMariaDB, type MariaDBServer } from './mariadb.ts';
export { catalogPython, startMoto, type AwsStandIn } from './moto.ts';
export { findMySQLProblem, prepareMySQL, startMySQL, type SqlServer } from './mysql.ts';
export {
  findOldPythonProblem,
  oldParquetPython,
  prepareOldParquetReaders,
  runParquetTools,
} from './old-parquet-readers.ts';
export { startPostgres, PostgresServer, type PostgresOptions, type StopMode } from './postgres.ts';
export type { PostgresMajor } from './postgres-binaries.ts';
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
export { prepareRestCatalog, startRestCatalog, type RestCatalogServer } from './rest-catalog.ts';
export { mustRun, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
export { prepareVersityGateway, startS3, type S3Access, type S3Server } from './s3.ts';
export { readWithSpark, runSpark, spark, type Spark } from './spark.ts';
export { makeSshKey, prepareSsh, startSshAgent, startSshServer, type SshKey, type SshServer } from './ssh.ts';
export { startTcpProxy, TcpProxy } from './tcp-proxy.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
