import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Socket } from 'node:net';
import { startPostgres } from '@fjord/test-harness';
import type { CopyColumn } from '../../packages/source-postgres/src/copy/copy-column.ts';
import { CopyDecoder } from '../../packages/source-postgres/src/copy/copy-decoder.ts';

/**
 * Rows of the table `trips` that the COPY decoder takes per second of processor time, read from memory in pieces of the size a socket
 * gives. Run: `node benchmarks/micro/copy-decode.ts [rows] [turns]`.
 */
const ROWS = Number(process.argv[2] ?? 200_000);
const TURNS = Number(process.argv[3] ?? 10);
const READ_BYTES = 256 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
const READY_FOR_QUERY = Buffer.from('Z\0\0\0\x05I', 'latin1');

const columns = (
  [
    ['id', 'int8', 'long'],
    ['vendor_id', 'int2', 'int'],
    ['pickup_at', 'timestamp', 'timestamp'],
    ['dropoff_at', 'timestamptz', 'timestamptz'],
    ['passenger_count', 'int4', 'int'],
    ['trip_distance', 'float8', 'double'],
    ['rate_code_id', 'int4', 'int'],
    ['store_and_fwd', 'bool', 'boolean'],
    ['pu_location_id', 'int4', 'int'],
    ['do_location_id', 'int4', 'int'],
    ['payment_type', 'text', 'string'],
    ['fare_amount', 'float8', 'double'],
    ['extra', 'float4', 'float'],
    ['tip_amount', 'float8', 'double'],
    ['tolls_amount', 'numeric', 'decimal(8,2)'],
    ['total_amount', 'numeric', 'decimal(12,2)'],
    ['service_date', 'date', 'date'],
    ['note', 'text', 'string'],
  ] as const
).map(([name, wire, type]): CopyColumn => ({ name, wire, type, nullable: true, isKey: false }));

const bytes = await capture();
decodeOnce();
const before = process.cpuUsage();
const rows = Array.from({ length: TURNS }, decodeOnce).reduce((sum, count) => sum + count, 0);
const used = process.cpuUsage(before);
const seconds = (used.user + used.system) / 1e6;
const megabytes = (bytes.length * TURNS) / 1e6;
process.stdout.write(
  `${rows} rows in ${seconds.toFixed(2)} CPU s: ${(rows / seconds / 1e6).toFixed(2)} M rows/CPU-s, ${(megabytes / seconds).toFixed(0)} MB/CPU-s\n`,
);

function decodeOnce(): number {
  const decoder = new CopyDecoder(columns, {
    stream: 'public.trips',
    unrepresentable: 'null',
    batchBytes: BATCH_BYTES,
    onMessage: () => {},
  });
  let count = 0;
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    for (const batch of decoder.push(bytes.subarray(at, at + READ_BYTES))) count += batch.rows;
  }
  return decoder.end().reduce((sum, batch) => sum + batch.rows, count);
}

/** What a server sends for a COPY of the table, as bytes of the protocol. */
async function capture(): Promise<Buffer> {
  await using server = await startPostgres();
  const sql = readFileSync(path.join(import.meta.dirname, '..', 'data', 'trips.sql'), 'utf8');
  await server.query(sql.replaceAll(/^(--|\\set|VACUUM|CHECKPOINT).*$/gm, '').replaceAll(':n::', `${ROWS}::`));
  const client = await server.client();
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  const pieces: Buffer[] = [];
  socket.removeAllListeners('data');
  const done = Promise.withResolvers<void>();
  let tail = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    tail = Buffer.concat([tail, piece.subarray(-READY_FOR_QUERY.length)]).subarray(-READY_FOR_QUERY.length);
    if (tail.equals(READY_FOR_QUERY)) done.resolve();
  });
  const text = Buffer.from('COPY trips TO STDOUT (FORMAT binary)\0');
  const head = Buffer.from('Q\0\0\0\0');
  head.writeInt32BE(text.length + 4, 1);
  socket.write(Buffer.concat([head, text]));
  await done.promise;
  socket.destroy();
  return Buffer.concat(pieces);
}
