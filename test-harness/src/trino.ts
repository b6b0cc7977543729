import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { mavenJars } from './maven.ts';
import type { S3Access } from './s3.ts';
import { mustRun, runProcess } from './run-process.ts';

const TRINO = '483';
/** Trino's own test runner is its real engine; no server package can be had from Maven. */
const ARTIFACTS = [`io.trino:trino-testing:${TRINO}`, `io.trino:trino-iceberg:${TRINO}`];
/** Trino is compiled for this Java and starts with no older one. */
const JAVA = 25;
const JAVA_FOLDER = '/usr/lib/jvm';
const SOURCE = path.join(import.meta.dirname, '../java/TrinoReader.java');

/** A query's rows: one text each. */
export type TrinoRows = string[];

/** Why Trino cannot be run on this machine; undefined if it can. */
export async function findTrinoProblem(): Promise<string | undefined> {
  return (await findJdk()) === undefined ? `Trino needs a JDK ${JAVA} in ${JAVA_FOLDER} or JAVA_HOME` : undefined;
}

/** Asks Trino for queries of one text column each, over a REST catalog named `lake` with tables in S3. The first call on a machine fetches 476 MB of jars. */
export async function queryWithTrino(
  queries: readonly string[],
  { uri, s3 }: { uri: string; s3: S3Access },
): Promise<TrinoRows[]> {
  const java = await findJdk();
  if (java === undefined) throw new Error(`Trino needs a JDK ${JAVA}.`);
  const lib = await mavenJars(`trino-${TRINO}`, ARTIFACTS);
  const properties = {
    'iceberg.catalog.type': 'rest',
    'iceberg.rest-catalog.uri': uri,
    'fs.native-s3.enabled': 'true',
    's3.endpoint': s3.endpoint,
    's3.region': s3.region,
    's3.path-style-access': 'true',
    's3.aws-access-key': s3.accessKeyId,
    's3.aws-secret-key': s3.secretAccessKey,
  };
  const options = ['-Xmx1500m', '--add-modules', 'jdk.incubator.vector', '--sun-misc-unsafe-memory-access=allow'];
  const catalog = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  const { stdout } = await mustRun(java, [...options, '-cp', `${lib}/*`, SOURCE, ...catalog], {
    input: queries.map((query) => `${query.replaceAll('\n', ' ')}\n`).join(''),
  });
  const answers = stdout.split(/^\.$/m);
  return queries.map((_, index) => (answers[index] ?? '').split('\n').filter((line) => line !== ''));
}

async function findJdk(): Promise<string | undefined> {
  const homes = [process.env['JAVA_HOME'] ?? ''];
  for (const name of await readdir(JAVA_FOLDER).catch(() => [])) homes.push(path.join(JAVA_FOLDER, name));
  for (const home of homes) {
    const java = path.join(home, 'bin', 'java');
    const result = await runProcess(java, ['--list-modules']).catch(() => undefined);
    // A source is compiled as it is started.
    if (result?.stdout.includes(`jdk.compiler@${JAVA}`)) return java;
  }
  return undefined;
}
