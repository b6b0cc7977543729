import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What is asked for, to decide whether it goes wrong. */
export interface HttpCall {
  method: string;
  /** Path and query as they were sent. */
  url: string;
  headers: IncomingHttpHeaders;
}

/**
 * What goes wrong with a call: an answer instead of the server's; `reset`, the connection breaks before the server sees the call; or
 * `swallow`, the server carries it out, but the connection breaks before its answer arrives.
 */
export type HttpFault = { status: number; headers?: Record<string, string>; body?: string } | 'reset' | 'swallow';

/** A proxy before an HTTP server; closes with its `await using` scope. */
export interface HttpFaults extends AsyncDisposable {
  /** The address to use instead of the server's. */
  endpoint: string;
  /** Decides the fault of each call; none at first. */
  faultFor: (call: HttpCall) => HttpFault | undefined;
  /** Called when the server has carried a call out, before the caller hears of it: the answer waits for it. */
  carriedOut: (call: HttpCall) => Promise<void> | void;
  /** Every call that came, in order. */
  calls: HttpCall[];
}

/** Starts a proxy on 127.0.0.1 before an HTTP server, to make calls go wrong at will. Headers pass unchanged: signatures stay good. */
export async function startHttpFaults(endpoint: string): Promise<HttpFaults> {
  const target = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    pass({ target, faults }, incoming, outgoing).catch(() => outgoing.destroy());
  });
  const faults: HttpFaults = {
    endpoint: '',
    faultFor: () => undefined,
    carriedOut: () => undefined,
    calls: [],
    [Symbol.asyncDispose]: () => stop(server),
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  faults.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return faults;
}

async function pass(
  { target, faults }: { target: URL; faults: HttpFaults },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const call = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
  faults.calls.push(call);
  const fault = faults.faultFor(call);
  if (fault === 'reset') return void incoming.socket.destroy();
  const body = await buffer(incoming);
  if (typeof fault === 'object') return void outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? '');
  const { hostname, port } = target;
  const forwarded = request({ hostname, port, method: call.method, path: call.url, headers: incoming.headers });
  forwarded.end(body);
  const [answer]: IncomingMessage[] = await once(forwarded, 'response');
  if (answer === undefined || fault === 'swallow') return void incoming.socket.destroy();
  await faults.carriedOut(call);
  outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(outgoing);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
