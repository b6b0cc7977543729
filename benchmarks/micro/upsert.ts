import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { Column } from '@fjord/core';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';
import { temporaryFolder } from '@fjord/test-harness';
import { trip, tripBatch, tripColumns } from '../made-up-trips.ts';

// What the destination alone needs for made-up changes of taxi trips: a copy first, then transactions like those of the benchmark
// `changes` (or inserts only). Prints one JSON line.

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    transactions: { type: 'string', default: '100' },
    version: { type: 'string', default: '2' },
    'inserts-only': { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
  },
});

const BIN = path.join(import.meta.dirname, '../../packages/dest-iceberg/src/bin.ts');
const USAGE = path.join(import.meta.dirname, '../usage.mjs');
const BATCH_ROWS = 16_384;
const INSERTS = 10_000;
const UPDATES = options['inserts-only'] ? 0 : 2000;
const DELETES = options['inserts-only'] ? 0 : 1000;

const LOG_COLUMNS: Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

const rows = Number(options.rows);
const transactions = Number(options.transactions);
await using folder = await temporaryFolder('upsert');

type Send = (message: object, body?: Uint8Array) => void;

async function writeMessages(name: string, work: (send: Send) => void): Promise<string> {
  const file = path.join(folder.path, name);
  const stream = createWriteStream(file);
  work((message, body) => {
    stream.write(`${JSON.stringify({ stream: 's', ...message })}\n`);
    if (body) stream.write(body);
  });
  stream.write(`${JSON.stringify({ type: 'STATUS', status: 'COMPLETE' })}\n`);
  stream.end();
  await once(stream, 'finish');
  return file;
}

function begin(send: Send, state: unknown): void {
  send({ type: 'STATE', state, resumed: true });
  send({ type: 'STATUS', status: 'STARTED' });
  send({ type: 'SCHEMA', version: 1, columns: tripColumns, primaryKey: ['id'] });
}

function sendCopy(send: Send): void {
  begin(send, null);
  send({ type: 'CHUNK', chunk: '0', attempt: 1, event: 'begin' });
  for (let first = 0; first < rows; first += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, rows - first);
    const body = tripBatch(first, count);
    send({ type: 'BATCH', kind: 'backfill', chunk: '0', attempt: 1, schema: 1, rows: count, bytes: body.length }, body);
  }
  send({ type: 'CHUNK', chunk: '0', attempt: 1, event: 'done' });
  send({ type: 'STATE', state: 'copied' });
}

function sendChanges(send: Send): void {
  begin(send, 'copied');
  let position = 0;
  send({ type: 'HANDOVER', position: '0'.repeat(32) });
  const builder = new BatchBuilder([...tripColumns.map((column) => ({ ...column, nullable: true })), ...LOG_COLUMNS]);
  const flush = () => {
    const { rows: count, body } = builder.finish();
    const bytes = body.reduce((sum, { length }) => sum + length, 0);
    if (count > 0) send({ type: 'BATCH', kind: 'changes', schema: 1, rows: count, bytes }, Buffer.concat(body));
  };
  const change = (op: string, data: object) => {
    const key = Buffer.from((++position).toString(16).padStart(32, '0'), 'hex').toString('base64');
    const at = '2024-06-01T00:00:00.000000Z';
    appendRecord(builder, { ...data, _op: op, _position: key, _unset: null, _committed_at: at });
    if (builder.rows === BATCH_ROWS) flush();
  };
  for (let number = 0; number < transactions; number++) {
    for (let row = 0; row < INSERTS; row++) change('c', trip(100_000_000 + number * INSERTS + row));
    const spread = (row: number, share: number) => (number * 10_000 + row * 10 + share) % rows;
    for (let row = 0; row < UPDATES; row++) change('u', { ...trip(spread(row >> 1, 1 + (row & 1))), note: 'changed' });
    for (let row = 0; row < DELETES; row++) change('d', { id: spread(row, 9) });
    flush();
    send({ type: 'STATE', state: `t${number}` });
  }
}

async function run(file: string, streams: string): Promise<{ wallS: number; cpuS: number; rssMB: number }> {
  const usage = path.join(folder.path, `usage-${path.basename(file)}`);
  mkdirSync(usage);
  const config = await writeJson('config.json', {
    warehouse: path.join(folder.path, 'lake'),
    workers: Number(options.workers),
  });
  const start = performance.now();
  const child = spawn(process.execPath, [BIN, 'write', '--config', config, '--streams', streams], {
    stdio: [openSync(file, 'r'), 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: `--import ${USAGE}`, FJORD_BENCH_USAGE: usage },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`write ended with code ${code}`);
  const wallS = (performance.now() - start) / 1000;
  const [name] = readdirSync(usage);
  const { cpuS, rssMB } = JSON.parse(readFileSync(path.join(usage, name ?? ''), 'utf8'));
  return { wallS, cpuS, rssMB };
}

async function writeJson(name: string, content: object): Promise<string> {
  const file = path.join(folder.path, name);
  const stream = createWriteStream(file);
  stream.end(JSON.stringify(content));
  await once(stream, 'finish');
  return file;
}

const stream = {
  stream: 's',
  name: 's',
  columns: tripColumns,
  primaryKey: ['id'],
  writeMode: 'upsert',
  formatVersion: Number(options.version),
  changes: {},
  target: { namespace: ['db'], name: 's' },
};
const streams = await writeJson('streams.json', { pipeline: 'p', streams: [stream] });
const copy = await run(await writeMessages('copy', sendCopy), streams);
const { wallS, cpuS, rssMB } = await run(await writeMessages('changes', sendChanges), streams);
const changes = transactions * (INSERTS + UPDATES + DELETES);
const figures = { changes, wallS, cpuS, rssMB, changesPerS: changes / wallS, changesPerCpuS: changes / cpuS, copy };
process.stdout.write(`${JSON.stringify(figures)}\n`);
