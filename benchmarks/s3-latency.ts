import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openSqlCatalog, planFiles } from '@fjord/iceberg';
import { type S3Server, startS3, temporaryFolder } from '@fjord/test-harness';
import { describeMachine } from './machine.ts';
import { COLUMNS, feed } from './partitions.ts';

/** What a request to a bucket in the same region takes longer than one to this machine. */
const LATENCY_MS = 20;
/** The better of these counts, each way: what else the machine does only ever adds. */
const RUNS = 3;

type Run = { latencyMs: number; wallS: number; cpuS: number; files: number; rows: number };

/** Writes rows to a bucket on this machine through a proxy that delays each request by nothing or by 20 ms, in turns; the loss is in rows a second. */
export async function benchmarkS3Latency({ rows, memory = 256 }: { rows: number; memory?: number | undefined }) {
  await using server = await startS3();
  const runs: Run[] = [];
  for (let round = 0; round < RUNS; round++) {
    for (const latencyMs of [0, LATENCY_MS]) runs.push(await writeTable(server, { rows, memory, latencyMs }));
  }
  const best = (latencyMs: number) =>
    Math.min(...runs.filter((run) => run.latencyMs === latencyMs).map(({ wallS }) => wallS));
  const lossRatio = 1 - best(0) / best(LATENCY_MS);
  return { name: 's3-latency', rows, memoryMB: memory, lossRatio, machine: describeMachine(), runs };
}

/** The figures for people. */
export function describeS3Latency({ lossRatio, runs }: Awaited<ReturnType<typeof benchmarkS3Latency>>): string {
  const lines = runs.map(
    ({ latencyMs, wallS, cpuS, files, rows }) =>
      `${String(latencyMs).padStart(2)} ms a request  ${wallS.toFixed(1)} s, ${Math.round(rows / wallS).toLocaleString('en-US')} rows/s, ${cpuS.toFixed(1)} s CPU, ${files} files\n`,
  );
  return `${lines.join('')}best against best: ${(lossRatio * 100).toFixed(1)} % lost to ${LATENCY_MS} ms\n`;
}

type Choice = { rows: number; memory: number; latencyMs: number };

async function writeTable(server: S3Server, { rows, memory, latencyMs }: Choice): Promise<Run> {
  await using folder = await temporaryFolder('bench-s3-latency');
  const proxy = await startProxy(server.endpoint, latencyMs);
  try {
    const { bucket, region, accessKeyId, secretAccessKey } = server;
    const warehouse = `s3://${bucket}/${path.basename(folder.path)}`;
    const catalog = { type: 'sqlite', file: path.join(folder.path, 'catalog.db'), name: 'fjord' };
    const s3 = { endpoint: proxy.endpoint, region, accessKeyId, secretAccessKey, pathStyle: true };
    const target = { namespace: ['bench'], name: 's' };
    const stream = { stream: 's', name: 's', columns: COLUMNS, primaryKey: ['id'], writeMode: 'append', target };
    const [config, streams] = [path.join(folder.path, 'config.json'), path.join(folder.path, 'streams.json')];
    writeFileSync(config, JSON.stringify({ warehouse, catalog, s3 }), { mode: 0o600 });
    writeFileSync(streams, JSON.stringify({ pipeline: 'bench', streams: [stream] }));
    const start = performance.now();
    const args = ['--config', config, '--streams', streams, '--memory', String(memory)];
    const { cpuS } = await feed(rows, args, folder.path);
    const wallS = (performance.now() - start) / 1000;
    const io = {
      's3.endpoint': server.endpoint,
      's3.region': region,
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      's3.path-style-access': 'true',
    };
    await using tables = await openSqlCatalog({ uri: catalog.file, name: catalog.name, warehouse, io });
    const table = await tables.loadTable(target);
    if (!table) throw new Error('nothing was written');
    const files = await Array.fromAsync(planFiles(table), ({ file }) => Number(file.recordCount));
    const written = files.reduce((sum, count) => sum + count, 0);
    if (written !== rows) throw new Error(`${rows} rows were sent and ${written} written`);
    return { latencyMs, wallS, cpuS, files: files.length, rows };
  } finally {
    proxy.stop();
  }
}

async function startProxy(endpoint: string, latencyMs: number): Promise<{ endpoint: string; stop(): void }> {
  const { hostname, port } = new URL(endpoint);
  const script = path.join(import.meta.dirname, 'latency-proxy.mjs');
  const child = fork(script, [hostname, port, String(latencyMs)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  if (!child.stdout) throw new Error('the proxy was started with a pipe');
  const [line]: unknown[] = await once(child.stdout, 'data');
  return { endpoint: `http://127.0.0.1:${String(line).trim()}`, stop: () => void child.kill() };
}
