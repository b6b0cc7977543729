import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mavenJars } from './maven.ts';
import { mustRun } from './run-process.ts';
import { findJava } from './spark.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const HADOOP = '3.3.6';
const DERBY = '10.14.2.0';

/** The version with locks, and the one that compares a table's parameter by itself (HIVE-26882). */
export type HiveVersion = '3.1.3' | '4.0.1';

const METASTORES: Record<HiveVersion, string> = {
  '3.1.3': 'org.apache.hive:hive-standalone-metastore:3.1.3',
  '4.0.1': 'org.apache.hive:hive-standalone-metastore-server:4.0.1',
};

const ARTIFACTS = [
  `org.apache.derby:derby:${DERBY}`,
  `org.apache.derby:derbytools:${DERBY}`,
  `org.apache.hadoop:hadoop-common:${HADOOP}`,
  `org.apache.hadoop:hadoop-mapreduce-client-core:${HADOOP}`,
  `org.apache.hadoop:hadoop-hdfs:${HADOOP}`,
  'org.apache.iceberg:iceberg-hive-metastore:1.10.1:tests',
];

/** Iceberg's own tests carry the schema of the database of 3.1, the tables for locks included. */
const SCHEMA = '/hive-schema-3.1.0.derby.sql';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 5_000;

// Hadoop looks into classes that Java 17 keeps to itself.
const OPENED = ['--add-opens', 'java.base/java.net=ALL-UNNAMED', '--add-opens', 'java.base/java.lang=ALL-UNNAMED'];

/** A running Hive metastore with the database `default`. */
export interface HiveMetastore extends AsyncDisposable {
  uri: string;
  /** The local folder of its tables. */
  warehouse: string;
}

/** Fetches the metastore's jars (150 MB) unless the cache has them, and finds a Java. */
export async function prepareHiveMetastore(version: HiveVersion = '3.1.3'): Promise<{ lib: string; java: string }> {
  const lib = await mavenJars(`hive-metastore-${version}`, [METASTORES[version], ...ARTIFACTS]);
  return { lib, java: path.join(await findJava(), 'bin', 'java') };
}

/** Starts a Hive metastore on an empty Derby database; only 3.1 has the tables for locks there. It listens on all addresses. */
export async function startHiveMetastore(version: HiveVersion = '3.1.3'): Promise<HiveMetastore> {
  const [{ lib, java }, port, folder] = await Promise.all([
    prepareHiveMetastore(version),
    findFreePort(),
    temporaryFolder('fjord-hive'),
  ]);
  const database = `jdbc:derby:${folder.path}/database;create=true`;
  const classes = ['-cp', `${lib}/*`];
  const hasSchema = version === '3.1.3';
  if (hasSchema) {
    const makeSchema = `connect '${database}';\nrun resource '${SCHEMA}';\nexit;\n`;
    await mustRun(java, [...classes, 'org.apache.derby.tools.ij'], { input: makeSchema, cwd: folder.path });
  }
  const settings = { ...settingsFor(database, folder.path), 'datanucleus.schema.autoCreateAll': String(!hasSchema) };
  const server = new GuardedServer({
    command: java,
    args: [
      ...[...OPENED, '-Xmx512m', ...classes, 'org.apache.hadoop.hive.metastore.HiveMetaStore', '-p', String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['--hiveconf', `${name}=${value}`]),
    ],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, timeoutMs: START_TIMEOUT_MS });
  return {
    uri: `thrift://127.0.0.1:${port}`,
    warehouse: path.join(folder.path, 'warehouse'),
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Some defaults name classes of Hive itself, which a metastore alone does not have. */
function settingsFor(database: string, folder: string): Record<string, string> {
  return {
    'javax.jdo.option.ConnectionURL': database,
    'metastore.warehouse.dir': path.join(folder, 'warehouse'),
    'metastore.schema.verification': 'false',
    'metastore.disallow.incompatible.col.type.changes': 'false',
    'metastore.expression.proxy': 'org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy',
    'metastore.task.threads.always': 'org.apache.hadoop.hive.metastore.events.EventCleanerTask',
  };
}
