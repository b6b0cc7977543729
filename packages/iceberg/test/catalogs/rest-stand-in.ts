import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Schema, newTableMetadata, stringifyExactJson } from '../../src/index.ts';

/** A request as the stand-in saw it. */
export interface SeenRequest {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: string;
}

/** What the stand-in answers: JSON with status 200, or another status. */
export type StandInAnswer = { status?: number; headers?: Record<string, string>; json?: unknown };

/**
 * A stand-in for REST catalogs, where no real one can be had: it proves how requests look and how answers are taken, not that a
 * server of the world takes them. `answer` is asked for each request.
 */
export async function startRestStandIn(
  answer: (request: SeenRequest) => StandInAnswer,
): Promise<{ uri: string; seen: SeenRequest[] } & AsyncDisposable> {
  const seen: SeenRequest[] = [];
  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = new URL(incoming.url ?? '/', 'http://stand-in');
    const request = { method: incoming.method ?? '', url, headers: incoming.headers, body: await text(incoming) };
    seen.push(request);
    const { status = 200, headers, json } = answer(request);
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    outgoing.end(json === undefined ? '' : stringifyExactJson(json));
  };
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The answer of a server that has a table, at a location of its own, with whatever else it gives along. */
export function tableAnswer(schema: Schema, location: string, more: object = {}): StandInAnswer {
  const metadata = newTableMetadata({ schema, location });
  return {
    json: { 'metadata-location': `${location}/metadata/00000-x.metadata.json`, metadata, config: {}, ...more },
  };
}
