import {
  catalogPython,
  findMySQLProblem,
  prepareAzure,
  prepareGcs,
  prepareHiveMetastore,
  prepareMariaDB,
  prepareMySQL,
  prepareOldParquetReaders,
  preparePgBouncer,
  prepareRestCatalog,
  prepareSsh,
  prepareVersityGateway,
  python,
  spark,
  startPostgres,
} from '@fjord/test-harness';

/** Installs and starts once whatever the tests need, so that no test pays for it; a line for each thing says what and how long. */
export async function prepareTests(kind: 'quick' | 'heavy'): Promise<void> {
  for (const major of kind === 'heavy' ? ([18, 15, 16, 17] as const) : ([18, 15] as const)) {
    await prepare(`PostgreSQL ${major}`, async () => {
      await using _server = await startPostgres({ major });
    });
  }
  await prepare('PgBouncer', preparePgBouncer);
  await prepare('OpenSSH', prepareSsh);
  await prepare('Python with PyIceberg and DuckDB', python);
  await prepare('S3 server', prepareVersityGateway);
  if (kind !== 'heavy') return;
  await prepare('Spark', spark);
  await prepare('Parquet readers of older age', prepareOldParquetReaders);
  await prepare('MariaDB', prepareMariaDB);
  if (findMySQLProblem() === undefined) await prepare('MySQL', prepareMySQL);
  await prepare('REST catalog', prepareRestCatalog);
  await prepare('Hive metastore 3.1', () => prepareHiveMetastore('3.1.3'));
  await prepare('Hive metastore 4.0', () => prepareHiveMetastore('4.0.1'));
  await prepare('Python with clients of all catalogs, and a stand-in for AWS', catalogPython);
  await prepare('stand-in for Google Cloud Storage', prepareGcs);
  await prepare("emulator of Azure's storage", prepareAzure);
}

async function prepare(name: string, make: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  process.stdout.write(`preparing ${name} ... `);
  await make();
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}
