import path from 'node:path';
import { makeOnce } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mustRun } from './run-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const AZURITE = '3.37.0';
const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

// The account that every Azurite has; its key is published by Microsoft and no secret.
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** A running emulator of Azure's blob storage. */
export interface AzureServer extends AsyncDisposable {
  account: string;
  key: string;
  /** The address of the account's blobs. */
  endpoint: string;
  connectionString: string;
}

/** Installs the emulator (Azurite) into the cache unless it is there, and returns its script. */
export async function prepareAzure(): Promise<string> {
  const folder = await makeOnce(`azurite-${AZURITE}`, async (draft) => {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    await mustRun('npm', ['install', ...quiet, `azurite@${AZURITE}`], { cwd: draft });
  });
  return path.join(folder, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
}

/** Starts Azure's emulator of blob storage on 127.0.0.1, empty and in memory. */
export async function startAzure(): Promise<AzureServer> {
  const [script, port, folder] = await Promise.all([prepareAzure(), findFreePort(), temporaryFolder('fjord-azure')]);
  const place = ['--blobHost', HOST, '--blobPort', String(port), '--inMemoryPersistence'];
  const server = new GuardedServer({
    command: process.execPath,
    args: [script, '--silent', '--skipApiVersionCheck', '--disableTelemetry', ...place],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, path: '/', timeoutMs: START_TIMEOUT_MS });
  const endpoint = `http://${HOST}:${port}/${ACCOUNT}`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint};`;
  return {
    account: ACCOUNT,
    key: KEY,
    endpoint,
    connectionString,
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}
