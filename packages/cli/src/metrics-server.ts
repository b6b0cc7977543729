import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { ConnectorError } from '@fjord/core';
import { SyncMetrics } from '@fjord/engine/metrics';

/** Serves the metrics of a sync: `/metrics` for Prometheus, `/healthz` for whoever asks whether the process lives. */
export class MetricsServer implements AsyncDisposable {
  readonly metrics: SyncMetrics;
  readonly #server: Server;

  private constructor(metrics: SyncMetrics, server: Server) {
    this.metrics = metrics;
    this.#server = server;
  }

  /** Listens on `[HOST:]PORT`; on this machine alone unless a host is given. */
  static async open(place: string, about: { pipeline: string; version: string }): Promise<MetricsServer> {
    const { host, port } = parsePlace(place);
    const metrics = new SyncMetrics(about);
    const server = createServer((request, response) => {
      if (request.url === '/healthz') response.end('ok\n');
      else if (request.url === '/metrics') {
        void metrics.text().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
      } else response.writeHead(404).end('There is /metrics, and /healthz.\n');
    });
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      const help = 'Give another --metrics-port, or end the program that listens there.';
      throw new ConnectorError('arguments_invalid', `Metrics cannot be served on ${place}.`, { cause, help });
    }
    // Whoever asks for metrics keeps no sync from ending.
    server.unref();
    return new MetricsServer(metrics, server);
  }

  /** Where Prometheus finds it. */
  get url(): string {
    const at = this.#server.address();
    if (typeof at !== 'object' || at === null) throw new Error('the server listens on a port');
    return `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}/metrics`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function parsePlace(place: string): { host: string; port: number } {
  const found = /^(?:(?<host>.+):)?(?<port>\d{1,5})$/.exec(place)?.groups;
  const port = Number(found?.['port']);
  if (found && port <= 65_535) return { host: found['host']?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port };
  throw new ConnectorError('arguments_invalid', `--metrics-port is a port or HOST:PORT, not "${place}".`);
}
