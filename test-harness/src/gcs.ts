import { findFreePort } from './free-port.ts';
import { buildGoProgram } from './go.ts';
import { GuardedServer } from './guarded-server.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const FAKE_GCS = 'github.com/fsouza/fake-gcs-server@v1.56.1';
const HOST = '127.0.0.1';
const BUCKET = 'warehouse';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** A running stand-in for Google Cloud Storage with one bucket; it asks for no credentials. */
export interface GcsServer extends AsyncDisposable {
  endpoint: string;
  bucket: string;
}

/** Builds the server (about a minute) unless the cache has it, and returns its executable. */
export async function prepareGcs(): Promise<string> {
  return buildGoProgram('fake-gcs-server', FAKE_GCS);
}

/** Starts a stand-in for Google Cloud Storage (fake-gcs-server) on 127.0.0.1 with an empty bucket in memory. */
export async function startGcs(): Promise<GcsServer> {
  const [command, port, folder] = await Promise.all([prepareGcs(), findFreePort(), temporaryFolder('fjord-gcs')]);
  const endpoint = `http://${HOST}:${port}`;
  const place = ['-scheme', 'http', '-host', HOST, '-port', String(port), '-backend', 'memory'];
  const server = new GuardedServer({
    command,
    args: [...place, '-external-url', endpoint, '-public-host', `${HOST}:${port}`],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, path: '/storage/v1/b', timeoutMs: START_TIMEOUT_MS });
  const body = JSON.stringify({ name: BUCKET });
  await fetch(`${endpoint}/storage/v1/b`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return {
    endpoint,
    bucket: BUCKET,
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}
