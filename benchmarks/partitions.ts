import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Column } from '@fjord/core';
import { BatchBuilder, type BytesColumn, type FixedColumn } from '@fjord/core/arrow';
import { openSqlCatalog, planFiles } from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { describeMachine } from './machine.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const BATCH_ROWS = 50_000;
const CHUNK_ROWS = 1_000_000;
const PARTITIONS = 200;
const TEXT_BYTES = 24;

/** The rows that `feed` makes. */
export const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  ...['a', 'b', 'c', 'd'].map((name): Column => ({ name, type: 'double', nullable: false })),
  ...['s', 't'].map((name): Column => ({ name, type: 'string', nullable: false })),
];

/** One run of the destination: wall seconds, CPU seconds, peak memory of its process, files and rows found in the table. */
type Run = { wallS: number; cpuS: number; peakRssMB: number; files: number; rows: number };

/** Writes rows in random order of their partitions into a table of 200 partitions and into one without, within the default memory. */
export async function benchmarkPartitions({ rows, memory = 256 }: { rows: number; memory?: number | undefined }) {
  const partitioned = await writeTable({ rows, memory, partition: [`bucket(${PARTITIONS}, id)`] });
  const whole = await writeTable({ rows, memory, partition: [] });
  const machine = describeMachine();
  return { name: 'partitions', rows, partitions: PARTITIONS, memoryMB: memory, machine, partitioned, whole };
}

/** The figures for people. */
export function describePartitions(result: Awaited<ReturnType<typeof benchmarkPartitions>>): string {
  const line = (name: string, { wallS, cpuS, peakRssMB, files, rows }: Run) =>
    `${name.padEnd(16)}  ${wallS.toFixed(1)} s, ${Math.round(rows / wallS).toLocaleString('en-US')} rows/s, ${cpuS.toFixed(1)} s CPU, ${peakRssMB} MB RSS at the peak, ${files} files\n`;
  return line(`${result.partitions} partitions`, result.partitioned) + line('no partitions', result.whole);
}

async function writeTable(options: { rows: number; memory: number; partition: string[] }): Promise<Run> {
  await using folder = await temporaryFolder('bench-partitions');
  const lake = path.join(folder.path, 'lake');
  const [config, streams] = ['config.json', 'streams.json'].map((name) => path.join(folder.path, name)) as [
    string,
    string,
  ];
  const target = { namespace: ['bench'], name: 's' };
  const { partition } = options;
  const stream = {
    stream: 's',
    name: 's',
    columns: COLUMNS,
    primaryKey: ['id'],
    writeMode: 'append',
    target,
    partition,
  };
  writeFileSync(config, JSON.stringify({ warehouse: lake }));
  writeFileSync(streams, JSON.stringify({ pipeline: 'bench', streams: [stream] }));
  const start = performance.now();
  const used = await feed(
    options.rows,
    ['--config', config, '--streams', streams, '--memory', String(options.memory)],
    folder.path,
  );
  const wallS = (performance.now() - start) / 1000;
  await using catalog = await openSqlCatalog({ uri: `${lake}/catalog.db`, name: 'fjord', warehouse: lake });
  const table = await catalog.loadTable(target);
  if (!table) throw new Error('nothing was written');
  const files = await Array.fromAsync(planFiles(table), ({ file }) => Number(file.recordCount));
  return { wallS, ...used, files: files.length, rows: files.reduce((sum, count) => sum + count, 0) };
}

/** Sends made-up rows of the stream `s` to the destination in chunks of a million, as fast as it takes them. `usage`: a folder for what it used. */
export async function feed(rows: number, args: string[], usage: string): Promise<{ cpuS: number; peakRssMB: number }> {
  const child = spawn(process.execPath, [path.join(ROOT, 'packages/dest-iceberg/src/bin.ts'), 'write', ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: {
      ...process.env,
      FJORD_BENCH_USAGE: usage,
      NODE_OPTIONS: `--import ${path.join(ROOT, 'benchmarks/usage.mjs')}`,
    },
  });
  const ended = once(child, 'exit');
  const send = async (message: object, body?: Uint8Array) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    if (body && !child.stdin.write(body)) await once(child.stdin, 'drain');
  };
  await send({ type: 'STATE', stream: 's', state: null, resumed: true });
  await send({ type: 'SCHEMA', stream: 's', version: 1, columns: COLUMNS, primaryKey: ['id'] });
  for (let first = 0; first < rows; first += BATCH_ROWS)
    await sendBatch(send, first, Math.min(BATCH_ROWS, rows - first));
  await send({ type: 'STATUS', stream: 's', status: 'COMPLETE' });
  await send({ type: 'STATE', stream: 's', state: 'done' });
  await send({ type: 'STATUS', status: 'COMPLETE' });
  child.stdin.end();
  const [code]: unknown[] = await ended;
  if (code !== 0) throw new Error(`the destination ended with exit code ${String(code)}`);
  const { cpuS, rssMB }: { cpuS: number; rssMB: number } = JSON.parse(
    readFileSync(path.join(usage, `${child.pid}.json`), 'utf8'),
  );
  return { cpuS, peakRssMB: Math.round(rssMB) };
}

type Send = (message: object, body?: Uint8Array) => Promise<void>;

/** Each chunk of a million rows holds rows of every partition. */
async function sendBatch(send: Send, first: number, rows: number): Promise<void> {
  const chunk = { stream: 's', chunk: String(Math.floor(first / CHUNK_ROWS)), attempt: 1 };
  if (first % CHUNK_ROWS === 0) await send({ type: 'CHUNK', ...chunk, event: 'begin' });
  const body = makeBatch(first, rows);
  await send({ type: 'BATCH', ...chunk, kind: 'backfill', schema: 1, rows, bytes: body.length }, body);
  if ((first + rows) % CHUNK_ROWS !== 0) return;
  await send({ type: 'CHUNK', ...chunk, event: 'done' });
  await send({ type: 'STATE', stream: 's', state: first });
}

function makeBatch(first: number, rows: number): Uint8Array {
  const builder = new BatchBuilder(COLUMNS, { capacityRows: rows });
  for (const column of builder.columns) {
    if (column.kind === 'bytes') fillText(column, first, rows);
    if (column.kind === 'fixed') fillNumbers(column, { first, rows, isId: column === builder.columns[0] });
  }
  builder.rows = rows;
  return Buffer.concat(builder.finish().body);
}

function fillNumbers(column: FixedColumn, { first, rows, isId }: { first: number; rows: number; isId: boolean }): void {
  for (let row = 0; row < rows; row++) {
    if (isId) column.words.set([first + row, 0], 2 * row);
    else column.doubles[row] = ((first + row) * 7919) % 100_003;
  }
}

function fillText(column: BytesColumn, first: number, rows: number): void {
  column.reserveData(rows * TEXT_BYTES);
  for (let row = 0; row < rows; row++) {
    for (let byte = 0; byte < TEXT_BYTES; byte++)
      column.data[row * TEXT_BYTES + byte] = 97 + ((Math.imul(first + row, byte + 7) >>> 5) % 26);
    column.offsets[row + 1] = (row + 1) * TEXT_BYTES;
  }
}
