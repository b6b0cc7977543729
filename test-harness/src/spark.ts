import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeOnce } from './cache.ts';
import { installMaven } from './maven.ts';
import { PYTHON_FOLDER, pythonWith } from './python.ts';
import type { TableContents } from './read-table.ts';
import { mustRun, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
import { installSystemPackages } from './system-packages.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ICEBERG_GROUP = 'org.apache.iceberg';
const ICEBERG_ARTIFACT = 'iceberg-spark-runtime-4.0_2.13';
const ICEBERG_VERSION = '1.11.0';
// Spark 4.0 is made for these.
const JAVA_VERSIONS = ['17', '21'];

/** What it takes to run Spark with Iceberg: a Python with PySpark, Iceberg's jar, and a fitting Java. */
export interface Spark {
  python: string;
  icebergJar: string;
  javaHome: string;
}

/** Finds Spark with Iceberg; the first call on a machine installs Java and Maven (Debian), PySpark and Iceberg's jar (some 700 MB). */
export async function spark(): Promise<Spark> {
  const javaHome = await findJava();
  const python = await pythonWith('requirements-spark.txt');
  const icebergJar = await fetchIcebergJar();
  return { python, icebergJar, javaHome };
}

/**
 * Runs PySpark code to its end; it finds a session `spark` which reads an Iceberg table by its metadata file:
 * `spark.read.format('iceberg').load('/path/to/00001-x.metadata.json')`. Times are shown in UTC. Rejects if the code fails.
 */
export async function runSpark(
  code: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { python, icebergJar, javaHome } = await spark();
  await using work = await temporaryFolder('fjord-spark');
  const session = sessionCode(icebergJar, work.path);
  const env = {
    ...options.env,
    JAVA_HOME: javaHome,
    SPARK_LOCAL_IP: '127.0.0.1',
    SPARK_LOCAL_DIRS: work.path,
    PYSPARK_PYTHON: python,
  };
  return mustRun(python, ['-c', `${session}\n${code}`, ...args], { ...options, env });
}

/** Reads an Iceberg table with Spark; column types are Spark's (`bigint`, `array<string>`). Spark refuses a table that has a `time` column. */
export async function readWithSpark({ metadataLocation }: { metadataLocation: string }): Promise<TableContents> {
  const code = await readFile(path.join(PYTHON_FOLDER, 'read_with_spark.py'), 'utf8');
  const { stdout } = await runSpark(code, [metadataLocation, PYTHON_FOLDER]);
  return JSON.parse(stdout) as TableContents;
}

function sessionCode(icebergJar: string, folder: string): string {
  const settings: Record<string, string> = {
    'spark.jars': icebergJar,
    'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    'spark.sql.session.timeZone': 'UTC',
    'spark.driver.extraJavaOptions': '-Duser.timezone=UTC',
    'spark.driver.memory': '2g',
    'spark.sql.execution.arrow.maxRecordsPerBatch': '100000',
    'spark.ui.enabled': 'false',
    'spark.sql.warehouse.dir': path.join(folder, 'warehouse'),
    'spark.sql.shuffle.partitions': '2',
  };
  const configured = Object.entries(settings).map(([name, value]) => `.config(${quote(name)}, ${quote(value)})`);
  return [
    'from pyspark.sql import SparkSession',
    `spark = SparkSession.builder.master("local[2]").appName("fjord")${configured.join('')}.getOrCreate()`,
    'spark.sparkContext.setLogLevel("ERROR")',
  ].join('\n');
}

/** A JSON string is a Python string too. */
function quote(text: string): string {
  return JSON.stringify(text);
}

async function fetchIcebergJar(): Promise<string> {
  const folder = await makeOnce(`${ICEBERG_ARTIFACT}-${ICEBERG_VERSION}`, async (draft) => {
    await installMaven();
    const artifact = `${ICEBERG_GROUP}:${ICEBERG_ARTIFACT}:${ICEBERG_VERSION}`;
    const quiet = ['-B', '-q', `-Dmaven.repo.local=${path.join(draft, 'repository')}`];
    await mustRun('mvn', [...quiet, 'dependency:get', `-Dartifact=${artifact}`, '-Dtransitive=false'], { cwd: draft });
    const copy = ['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`];
    await mustRun('mvn', [...quiet, ...copy], { cwd: draft });
  });
  const jar = path.join(folder, `${ICEBERG_ARTIFACT}-${ICEBERG_VERSION}.jar`);
  await access(jar);
  return jar;
}

/** The home of a Java that Spark and Iceberg's servers run with; installs one (Debian) if there is none. */
export async function findJava(): Promise<string> {
  const found = await findInstalledJava();
  if (found !== undefined) return found;
  await installSystemPackages(['default-jre-headless']);
  const installed = await findInstalledJava();
  if (installed === undefined) throw new Error(`Spark needs Java ${JAVA_VERSIONS.join(' or ')}: install one.`);
  return installed;
}

async function findInstalledJava(): Promise<string | undefined> {
  const javaHome = process.env['JAVA_HOME'];
  const commands = [
    ...(javaHome === undefined ? [] : [path.join(javaHome, 'bin', 'java')]),
    'java',
    ...JAVA_VERSIONS.map((version) => `/usr/lib/jvm/java-${version}-openjdk-amd64/bin/java`),
    ...JAVA_VERSIONS.map((version) => `/usr/lib/jvm/java-${version}-openjdk-arm64/bin/java`),
  ];
  for (const command of commands) {
    const result = await runProcess(command, ['-XshowSettings:properties', '-version']).catch(() => undefined);
    const version = /java\.specification\.version = (\S+)/.exec(result?.stderr ?? '')?.[1];
    const home = /java\.home = (.+)/.exec(result?.stderr ?? '')?.[1];
    if (home !== undefined && JAVA_VERSIONS.includes(version ?? '')) return home.trim();
  }
  return undefined;
}
