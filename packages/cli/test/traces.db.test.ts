import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { startPostgres, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { runFjord } from './screens.ts';

type SentSpan = { name: string; traceId: string; spanId: string; parentSpanId?: string; service: string };
type Sent = {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Omit<SentSpan, 'service'>[] }[];
  }[];
};

/** A collector of OpenTelemetry: takes what is sent to it. */
async function startCollector() {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      for (const { resource, scopeSpans } of (body as Sent).resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
        spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the collector listens on a port');
  return { spans, url: `http://127.0.0.1:${address.port}`, [Symbol.dispose]: () => void server.close() };
}

test('a sync is one trace across its three processes, down to chunks and commits; a collector that is away stops none', async () => {
  await using folder = await temporaryFolder('fjord-traces');
  await using server = await startPostgres({ databases: ['shop'] });
  using collector = await startCollector();
  await server.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100)');
  const { host, port, user, database, password } = server;
  const file = path.join(folder.path, 'pipeline.yaml');
  const source = { connector: 'postgres', config: { host, port, user, database, password, tls: { mode: 'disable' } } };
  const destination = { connector: 'iceberg', config: { warehouse: './lake' } };
  writeFileSync(file, JSON.stringify({ id: 'traced', source, destination, streams: [{ match: 'public.*' }] }));
  const { exitCode } = await runFjord(['sync'], {
    cwd: folder.path,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  expect(exitCode).toBe(0);
  const { spans } = collector;
  const [root] = spans.filter(({ name }) => name === 'sync');
  const idOf = (name: string, service: string) =>
    spans.find((span) => span.name === name && span.service === service)?.spanId;
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));
  for (const [child, parent] of [
    [{ name: 'read', service: 'fjord-source-postgres' }, root?.spanId],
    [{ name: 'write', service: 'fjord-destination-iceberg' }, root?.spanId],
    [{ name: 'chunk', service: 'fjord-source-postgres' }, idOf('read', 'fjord-source-postgres')],
    [{ name: 'commit', service: 'fjord-destination-iceberg' }, idOf('write', 'fjord-destination-iceberg')],
  ] as const) {
    expect(spans).toContainEqual(expect.objectContaining({ ...child, parentSpanId: parent }));
  }
  const away = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  expect((await runFjord(['sync'], { cwd: folder.path, env: away })).exitCode).toBe(0);
});
