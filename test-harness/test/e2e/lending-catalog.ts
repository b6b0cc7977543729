import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { S3Access } from '../../src/index.ts';

/** Long enough to be used, and shorter than the five minutes before which keys are replaced: each use asks for new ones. */
const LIFE_MS = 60_000;

const CREDENTIALS = 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials';

/** A REST catalog that lends keys for its tables; `loans` counts how often it was asked for fresh ones. */
export interface LendingCatalog extends AsyncDisposable {
  uri: string;
  loans: number;
}

/** A stand-in for catalogs that lend keys: before a real REST catalog, it adds the keys of an S3 server to the tables that are loaded. */
export async function startLendingCatalog(uri: string, s3: S3Access): Promise<LendingCatalog> {
  const lender = { uri: '', loans: 0 };
  const server = createServer((incoming, outgoing) => {
    answer({ uri, s3, lender }, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  lender.uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(lender, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function answer(
  { uri, s3, lender }: { uri: string; s3: S3Access; lender: { loans: number } },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = incoming;
  const body = await buffer(incoming);
  const json = { 'content-type': 'application/json' };
  if (url.endsWith('/credentials')) {
    lender.loans++;
    return void outgoing.writeHead(200, json).end(JSON.stringify({ 'storage-credentials': [loan(s3)] }));
  }
  const asksForKeys = incoming.headers['x-iceberg-access-delegation'] === 'vended-credentials';
  const response = await fetch(`${uri}${url}`, { method, headers: json, ...(body.length > 0 && { body }) });
  let text = await response.text();
  // Added to the text: 64-bit ids would not survive a round trip through JSON.parse.
  if (response.ok && url.includes('/v1/config')) text = add(text, `"endpoints":${JSON.stringify([CREDENTIALS])}`);
  if (response.ok && asksForKeys) text = add(text, `"storage-credentials":${JSON.stringify([loan(s3)])}`);
  outgoing.writeHead(response.status, json).end(text);
}

function add(object: string, entry: string): string {
  const replaced = object.replace(/"endpoints":\[[^\]]*\],?/, '');
  return replaced.replace(/,?\s*}\s*$/, `,${entry}}`).replace(/^{,/, '{');
}

function loan({ accessKeyId, secretAccessKey }: S3Access) {
  return {
    prefix: 's3://',
    config: {
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      's3.session-token-expires-at-ms': String(Date.now() + LIFE_MS),
    },
  };
}
