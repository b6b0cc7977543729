import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { buildGoProgram } from './go.ts';
import { GuardedServer } from './guarded-server.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const VERSITY_GATEWAY = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';
const HOST = '127.0.0.1';
const REGION = 'us-east-1';
const BUCKET = 'warehouse';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** What a client needs to reach an S3 server, path style. */
export interface S3Access {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A running S3 server with one bucket; `folder` holds the bucket's objects as plain files. */
export interface S3Server extends S3Access, AsyncDisposable {
  bucket: string;
  folder: string;
}

/** Builds the S3 server (about a minute) unless the cache has it, and returns its executable. */
export async function prepareVersityGateway(): Promise<string> {
  return buildGoProgram('versitygw', VERSITY_GATEWAY);
}

/** Starts an S3 server (versitygw) on 127.0.0.1 with random keys and an empty bucket. */
export async function startS3(): Promise<S3Server> {
  const [command, port, folder] = await Promise.all([
    prepareVersityGateway(),
    findFreePort(),
    temporaryFolder('fjord-s3'),
  ]);
  const objects = path.join(folder.path, 'objects');
  await mkdir(path.join(objects, BUCKET), { recursive: true });
  const accessKeyId = randomBytes(10).toString('hex');
  const secretAccessKey = randomBytes(20).toString('hex');
  const server = new GuardedServer({
    command,
    args: ['--port', `${HOST}:${port}`, '--region', REGION, '--health', '/health', 'posix', objects],
    cwd: folder.path,
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    lastSignal: 'KILL',
  });
  const endpoint = `http://${HOST}:${port}`;
  await untilAnswers(server, { port, path: '/health', timeoutMs: START_TIMEOUT_MS });
  return {
    endpoint,
    region: REGION,
    accessKeyId,
    secretAccessKey,
    bucket: BUCKET,
    folder: path.join(objects, BUCKET),
    [Symbol.asyncDispose]: () => stop(server, folder),
  };
}

async function stop(server: GuardedServer, folder: TemporaryFolder): Promise<void> {
  server.signal('TERM');
  await server.untilExit(STOP_TIMEOUT_MS);
  await folder[Symbol.asyncDispose]();
}
