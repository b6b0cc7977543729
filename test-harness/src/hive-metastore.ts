import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mavenJars } from './maven.ts';
import { mustRun } from './run-process.ts';
import { findJava } from './spark.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const HIVE = '3.1.3';
const HADOOP = '3.3.6';
const DERBY = '10.14.2.0';

/** Iceberg's own tests carry the schema of the metastore's database, the tables for locks included. */
const ARTIFACTS = [
  `org.apache.derby:derby:${DERBY}`,
  `org.apache.derby:derbytools:${DERBY}`,
  `org.apache.hive:hive-standalone-metastore:${HIVE}`,
  `org.apache.hadoop:hadoop-common:${HADOOP}`,
  `org.apache.hadoop:hadoop-mapreduce-client-core:${HADOOP}`,
  `org.apache.hadoop:hadoop-hdfs:${HADOOP}`,
  'org.apache.iceberg:iceberg-hive-metastore:1.10.1:tests',
];
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
export async function prepareHiveMetastore(): Promise<{ lib: string; java: string }> {
  const lib = await mavenJars(`hive-metastore-${HIVE}`, ARTIFACTS);
  return { lib, java: path.join(await findJava(), 'bin', 'java') };
}

/** Starts a Hive metastore (3.1) on an empty Derby database. It listens on all addresses. */
export async function startHiveMetastore(): Promise<HiveMetastore> {
  const [{ lib, java }, port, folder] = await Promise.all([
    prepareHiveMetastore(),
    findFreePort(),
    temporaryFolder('fjord-hive'),
  ]);
  const database = `jdbc:derby:${folder.path}/database`;
  const classes = ['-cp', `${lib}/*`];
  const makeSchema = `connect '${database};create=true';\nrun resource '${SCHEMA}';\nexit;\n`;
  await mustRun(java, [...classes, 'org.apache.derby.tools.ij'], { input: makeSchema, cwd: folder.path });
  const settings = Object.entries(settingsFor(database, folder.path)).flatMap(([name, value]) => [
    '--hiveconf',
    `${name}=${value}`,
  ]);
  const main = ['org.apache.hadoop.hive.metastore.HiveMetaStore', '-p', String(port)];
  const server = new GuardedServer({
    command: java,
    args: [...OPENED, '-Xmx512m', ...classes, ...main, ...settings],
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
    'datanucleus.schema.autoCreateAll': 'false',
    'metastore.disallow.incompatible.col.type.changes': 'false',
    'metastore.expression.proxy': 'org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy',
    'metastore.task.threads.always': 'org.apache.hadoop.hive.metastore.events.EventCleanerTask',
  };
}
