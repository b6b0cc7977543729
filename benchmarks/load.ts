import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type PostgresServer, startS3, temporaryFolder } from '@fjord/test-harness';
import { type BenchmarkTable, startWithTable } from './data.ts';
import { measureFloor } from './floor.ts';
import { machine } from './machine.ts';
import { watchMemory } from './process-memory.ts';

const CLI = path.resolve(import.meta.dirname, '../packages/cli/src/bin.ts');
const USAGE = pathToFileURL(path.join(import.meta.dirname, 'usage.mjs')).href;

type Options = { rows: number; parallel: number; s3: boolean; profile?: string };

/** Loads one table into a new warehouse with `fjord sync`, start to committed table. */
export async function benchmarkLoad(table: BenchmarkTable, options: Options): Promise<void> {
  await using server = await startWithTable(table, options.rows);
  const [{ rows } = { rows: 0 }] = await server.query<{ rows: number }>(
    `SELECT count(*)::float8 AS rows FROM ${table}`,
  );
  const floor1RowsPerS = await measureFloor(server, table, { rows, connections: 1 });
  const floorRowsPerS = await measureFloor(server, table, { rows, connections: 2 });
  await using s3 = options.s3 ? await startS3() : undefined;
  await using folder = await temporaryFolder('fjord-bench');
  const storage = s3 && {
    warehouse: `s3://${s3.bucket}/lake`,
    catalog: { type: 'sqlite', file: path.join(folder.path, 'catalog.db'), name: 'fjord' },
    s3: {
      endpoint: s3.endpoint,
      region: s3.region,
      accessKeyId: s3.accessKeyId,
      secretAccessKey: s3.secretAccessKey,
      pathStyle: true,
    },
  };
  const destination = storage ?? { warehouse: path.join(folder.path, 'lake') };
  const file = await writePipeline(folder.path, server, { table, parallel: options.parallel, destination });
  const figures = await measureSync(file, { folder: folder.path, password: server.password, ...options });
  const { profile: _, ...shown } = options;
  const result = {
    name: table,
    ...figures,
    rows,
    rowsPerS: Math.round(rows / figures.wallS),
    floorRowsPerS,
    floor1RowsPerS,
  };
  process.stdout.write(
    `${JSON.stringify({ ...result, options: shown, machine: machine(), date: new Date().toISOString().slice(0, 10) })}\n`,
  );
}

type PipelineParts = { table: string; parallel: number; destination: object };

async function writePipeline(
  folder: string,
  server: PostgresServer,
  { table, parallel, destination }: PipelineParts,
): Promise<string> {
  const { host, port, user, database } = server;
  const file = path.join(folder, 'pipeline.yaml');
  const config = { host, port, user, database, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' }, parallel };
  // YAML is a superset of JSON.
  await writeFile(
    file,
    JSON.stringify({
      id: 'bench',
      source: { connector: 'postgres', config },
      destination: { connector: 'iceberg', config: destination },
      streams: [{ match: `public.${table}` }],
    }),
  );
  return file;
}

async function measureSync(
  file: string,
  { folder, password, profile }: { folder: string; password: string; profile?: string },
) {
  const usage = path.join(folder, 'usage');
  await mkdir(usage);
  const nodeOptions = `--import=${USAGE}${profile === undefined ? '' : ` --cpu-prof --cpu-prof-dir=${profile}`}`;
  const env = { ...process.env, BENCH_PASSWORD: password, FJORD_BENCH_USAGE: usage, NODE_OPTIONS: nodeOptions };
  const start = performance.now();
  const child = spawn(process.execPath, [CLI, 'sync', file, '--json'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const memory = watchMemory(child.pid ?? 0);
  const code = await new Promise((resolve) => child.on('close', resolve));
  const wallS = round((performance.now() - start) / 1000);
  const peakRssMB = memory.stop();
  if (code !== 0) throw new Error(`fjord sync ended with ${String(code)}:\n${log.slice(-2000)}`);
  const cpuParts = { engine: 0, source: 0, destination: 0 };
  for (const name of await readdir(usage)) {
    const { part, cpuS }: { part: keyof typeof cpuParts; cpuS: number } = JSON.parse(
      await readFile(path.join(usage, name), 'utf8'),
    );
    // discover and spec, which the engine asks for, count as its own.
    cpuParts[part] = round(cpuParts[part] + cpuS);
  }
  await rm(usage, { recursive: true });
  return { wallS, cpuS: round(cpuParts.engine + cpuParts.source + cpuParts.destination), cpuParts, peakRssMB };
}

const round = (value: number) => Math.round(value * 100) / 100;
