// The sink uses WebAssembly, which only this library declares.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference lib="dom" />
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@fjord/test-harness';
import { tripBatch, tripFields as fields } from '../made-up-trips.ts';
import { openParquetPool } from '../../packages/dest-iceberg/src/parquet/sink.ts';

// Encodes made-up taxi trips (the columns of the benchmark `trips`) to local files and prints one JSON line.

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '4000000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    writers: { type: 'string' },
    'batch-rows': { type: 'string', default: '65536' },
    'row-group-rows': { type: 'string' },
  },
});

const MEGABYTE = 1024 * 1024;
/** So many different batches are made beforehand and fed again and again. */
const TEMPLATES = 4;
const SAMPLE_MS = 50;
const rssMB = () => Math.round(process.memoryUsage.rss() / MEGABYTE);

const rows = Number(options.rows);
const batchRows = Number(options['batch-rows']);
const workers = Number(options.workers);
const rowGroupRows = options['row-group-rows'];
const templates = Array.from({ length: TEMPLATES }, (_, index) => tripBatch(index * batchRows, batchRows));
await using folder = await temporaryFolder('parquet-sink');

const baseRssMB = rssMB();
let peakRssMB = baseRssMB;
const sampling = setInterval(() => {
  peakRssMB = Math.max(peakRssMB, rssMB());
}, SAMPLE_MS);
const [cpuStart, start] = [process.cpuUsage(), performance.now()];
const pool = openParquetPool({
  workers,
  memoryBytes: 32 * MEGABYTE,
  io: {},
  ...(rowGroupRows !== undefined && { rowGroupRows: Number(rowGroupRows) }),
});
const writers = Array.from({ length: Number(options.writers ?? workers) }, (_, index) =>
  pool.openFile({ prefix: path.join(folder.path, String(index)), fields }),
);
let fed = 0;
for (let batch = 0; fed < rows; batch++, fed += batchRows) {
  const body = Uint8Array.from(templates[batch % TEMPLATES] ?? []);
  await writers[batch % writers.length]?.write({ rows: batchRows, body: [body] });
}
const files = (await Promise.all(writers.map((writer) => writer.close()))).flat();
const wallS = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuStart);
clearInterval(sampling);
await pool[Symbol.asyncDispose]();

const report = {
  name: 'parquet-sink',
  rows: fed,
  workers,
  writers: writers.length,
  batchRows,
  rowGroupRows,
  wallS,
  rowsPerS: Math.round(fed / wallS),
  cpuS: (user + system) / 1e6,
  cpuUsPerRow: (user + system) / fed,
  fileMB: files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0) / MEGABYTE,
  baseRssMB,
  peakRssMB,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
