import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mavenJars } from './maven.ts';
import type { S3Access } from './s3.ts';
import { findJava } from './spark.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const ICEBERG = '1.10.1';
const JETTY = '11.0.26';

/** Iceberg's own test server for the REST protocol, on its JDBC catalog; newer versions cannot be put together from Maven alone. */
const ARTIFACTS = [
  `org.apache.iceberg:iceberg-open-api:${ICEBERG}:test-fixtures`,
  `org.apache.iceberg:iceberg-core:${ICEBERG}`,
  `org.apache.iceberg:iceberg-core:${ICEBERG}:tests`,
  `org.apache.iceberg:iceberg-aws:${ICEBERG}`,
  `org.apache.iceberg:iceberg-aws-bundle:${ICEBERG}`,
  `org.eclipse.jetty:jetty-servlet:${JETTY}`,
  `org.eclipse.jetty:jetty-server:${JETTY}`,
  'org.xerial:sqlite-jdbc:3.50.3.0',
  'org.apache.hadoop:hadoop-client-runtime:3.4.2',
  'org.apache.hadoop:hadoop-client-api:3.4.2',
  'org.slf4j:slf4j-simple:2.0.17',
];

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** A running REST catalog; its tables go to `warehouse`. */
export interface RestCatalogServer extends AsyncDisposable {
  uri: string;
  warehouse: string;
}

/** Fetches the REST catalog's jars (144 MB) unless the cache has them, and finds a Java. */
export async function prepareRestCatalog(): Promise<{ lib: string; java: string }> {
  const lib = await mavenJars(`iceberg-rest-fixture-${ICEBERG}`, ARTIFACTS);
  return { lib, java: path.join(await findJava(), 'bin', 'java') };
}

/** Starts Iceberg's REST catalog on 127.0.0.1 with an empty catalog; tables go into an S3 bucket, or a local folder. */
export async function startRestCatalog(
  options: { s3?: S3Access & { bucket: string } } = {},
): Promise<RestCatalogServer> {
  const [{ lib, java }, port, folder] = await Promise.all([
    prepareRestCatalog(),
    findFreePort(),
    temporaryFolder('fjord-rest'),
  ]);
  const { s3 } = options;
  const warehouse = s3 ? `s3://${s3.bucket}/rest` : `file://${folder.path}/warehouse`;
  const server = new GuardedServer({
    command: java,
    args: ['-Xmx512m', '-cp', `${lib}/*`, 'org.apache.iceberg.rest.RESTCatalogServer'],
    cwd: folder.path,
    env: {
      CATALOG_REST_PORT: String(port),
      CATALOG_WAREHOUSE: warehouse,
      CATALOG_URI: `jdbc:sqlite:${folder.path}/catalog.db`,
      ...(s3 && storageSettings(s3)),
    },
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, path: '/v1/config', timeoutMs: START_TIMEOUT_MS });
  return {
    uri: `http://127.0.0.1:${port}`,
    warehouse,
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function storageSettings({ endpoint, region, accessKeyId, secretAccessKey }: S3Access): Record<string, string> {
  return {
    CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
    CATALOG_S3_ENDPOINT: endpoint,
    CATALOG_S3_PATH__STYLE__ACCESS: 'true',
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
