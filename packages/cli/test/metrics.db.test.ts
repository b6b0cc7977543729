import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startPostgres, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';

const CLI = path.join(import.meta.dirname, '../src/bin.ts');

/** What `/metrics` has of a metric: value by labels. */
function valueOf(text: string, name: string, label: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(label));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

test('a following sync serves rows, commits, lag, phase and memory while it runs', async () => {
  await using folder = await temporaryFolder('fjord-metrics');
  await using server = await startPostgres({ databases: ['shop'] });
  await server.query(
    'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT n FROM generate_series(1, 500) n',
  );
  const { host, port, user, database, password } = server;
  writeFileSync(
    path.join(folder.path, 'pipeline.yaml'),
    JSON.stringify({
      id: 'metrics',
      source: { connector: 'postgres', config: { host, port, user, database, password, tls: { mode: 'disable' } } },
      destination: { connector: 'iceberg', config: { warehouse: './lake', commitIntervalSeconds: 0.2 } },
      streams: [{ match: 'public.orders', syncMode: 'changes' }],
    }),
  );
  const args = [CLI, 'sync', '--follow', '--json', '--metrics-port', '0'];
  const child = spawn(process.execPath, args, { cwd: folder.path, stdio: ['ignore', 'ignore', 'pipe'] });
  let url = '';
  for await (const line of createInterface(child.stderr)) {
    url = /metrics are served at (http:[^"]+)/.exec(line)?.[1] ?? '';
    if (url !== '') break;
  }
  child.stderr.resume();
  await server.query('INSERT INTO orders VALUES (501)');
  const text = await metricsWhen(
    url,
    (found) =>
      (valueOf(found, 'fjord_stream_rows_read_total', 'public.orders') ?? 0) >= 501 &&
      valueOf(found, 'fjord_stream_phase', 'phase="following"') === 1,
  );
  const stream = 'stream="public.orders"';
  expect(valueOf(text, 'fjord_stream_commits_total', stream)).toBeGreaterThanOrEqual(1);
  expect(
    Math.abs((valueOf(text, 'fjord_stream_last_commit_timestamp_seconds', stream) ?? 0) - Date.now() / 1000),
  ).toBeLessThan(60);
  for (const process of ['engine', 'source', 'destination']) {
    expect(valueOf(text, 'fjord_process_resident_memory_bytes', `process="${process}"`)).toBeGreaterThan(1e6);
  }
  expect(await (await fetch(new URL('/healthz', url))).text()).toBe('ok\n');
  expect((await fetch(new URL('/other', url))).status).toBe(404);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([143, null]);
});

/** Asks until the figures are as they will be. */
async function metricsWhen(url: string, isThere: (text: string) => boolean): Promise<string> {
  for (;;) {
    const text = await (await fetch(url)).text();
    if (isThere(text)) return text;
  }
}
