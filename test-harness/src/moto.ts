import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { PYTHON_FOLDER, pythonWith } from './python.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** A stand-in for AWS (moto): it takes any keys. */
export interface AwsStandIn extends AsyncDisposable {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Starts moto, the stand-in for AWS, on 127.0.0.1; it knows Glue. The first call on a machine installs it, with PyIceberg's clients of other catalogs (some 700 MB). */
export async function startMoto(): Promise<AwsStandIn> {
  const [command, port, folder] = await Promise.all([
    pythonWith('requirements-catalogs.txt'),
    findFreePort(),
    temporaryFolder('fjord-moto'),
  ]);
  const server = new GuardedServer({
    command,
    args: [path.join(PYTHON_FOLDER, 'serve_moto.py'), '-H', '127.0.0.1', '-p', String(port)],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, path: '/moto-api/', timeoutMs: START_TIMEOUT_MS });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(20).toString('hex'),
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Runs Python code that finds PyIceberg with its clients for SQL, REST, Glue and Hive, PyArrow, DuckDB and boto3. */
export async function catalogPython(): Promise<string> {
  return pythonWith('requirements-catalogs.txt');
}
