// The body of a process that encodes an Arrow stream many times, in different ways, and prints how much memory it took: see memory.heavy.test.ts.
import { readFileSync } from 'node:fs';
import { openParquetWriter, type ParquetWriter } from '../src/index.ts';
import { findMessages } from './arrow/messages.ts';

const [scenario = '', source = '', times = '1'] = process.argv.slice(2);
const counts = { files: 0, rows: 0 };

async function encodeInTurn(stream: Uint8Array, tables: number): Promise<void> {
  for (let table = 0; table < tables; table++) {
    const writer = await open();
    await writer.write(stream);
    await close(writer);
  }
}

async function encodeAtOnce(stream: Uint8Array, tables: number): Promise<void> {
  const writers: ParquetWriter[] = [];
  for (let table = 0; table < tables; table++) writers.push(await open());
  for (const writer of writers) await writer.write(stream);
  for (const writer of writers) await close(writer);
}

/** One file of the same batch again and again, its values changed each time: dictionaries fill up until they are given up. */
async function encodeRepeated(stream: Uint8Array, batches: number): Promise<void> {
  const writer = await open();
  const places = valuesOf(stream);
  for (let batch = 0; batch < batches; batch++) {
    for (const { start, end } of places) {
      for (let at = start; at + 4 <= end; at += 4) {
        const number = batch * 1_000_003 + at;
        for (let byte = 0; byte < 4; byte++) stream[at + byte] = 48 + ((number >> (6 * byte)) & 63);
      }
    }
    await writer.write(stream);
  }
  await close(writer);
}

/** Where the values lie in a batch of columns that are in turn of fixed (two buffers) and of variable width (three). */
function valuesOf(stream: Uint8Array): { start: number; end: number }[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const batch = findMessages(stream).find(({ kind }) => kind === 3);
  const values = (batch?.buffers ?? []).filter((_, index) => index % 5 === 1 || index % 5 === 4);
  return values.map((place) => {
    const start = (batch?.body.start ?? 0) + Number(view.getBigInt64(place, true));
    return { start, end: start + Number(view.getBigInt64(place + 8, true)) };
  });
}

function open(): Promise<ParquetWriter> {
  // The taker's memory is given back at once, as an upload does when it has sent it.
  return openParquetWriter({ write: ({ buffer }) => void (buffer instanceof ArrayBuffer && buffer.transfer(0)) });
}

async function close(writer: ParquetWriter): Promise<void> {
  const { rowCount } = await writer.close();
  counts.files += 1;
  counts.rows += rowCount;
}

const SCENARIOS: Record<string, (stream: Uint8Array, times: number) => Promise<void>> = {
  'in-turn': encodeInTurn,
  'at-once': encodeAtOnce,
  repeated: encodeRepeated,
};

const stream = readFileSync(source);
const before = process.resourceUsage().maxRSS * 1024;
await SCENARIOS[scenario]?.(stream, Number(times));
process.stdout.write(JSON.stringify({ before, most: process.resourceUsage().maxRSS * 1024, ...counts }));
