// One encoding in a process of its own: `encode-once.mjs MODULE BATCHES OUTPUT`. Prints its CPU and memory as a line of JSON. MODULE is one of
// dest-iceberg's encoders; BATCHES a folder with the table's fields, their schema message and the Arrow streams, each behind its length.
// JavaScript, so that no types need to be stripped in the process that is measured.
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [module, batches, output] = process.argv.slice(2);
const LENGTH_BYTES = 4;
const MEGABYTE = 1024 * 1024;
/** The usual size; the bytes never end a group here. */
const ROW_GROUP = { rowGroupRows: MEGABYTE, rowGroupBytes: 1024 * MEGABYTE };

const fields = JSON.parse(readFileSync(path.join(batches, 'fields.json')));
const schema = new Uint8Array(readFileSync(path.join(batches, 'schema')));
const encoders = await import(module);
// Loading modules is no part of encoding.
const before = process.cpuUsage();
const start = performance.now();
if (encoders.startWasm) {
  const wasm = createRequire(module).resolve('parquet-wasm/esm/parquet_wasm_bg.wasm');
  encoders.startWasm(new WebAssembly.Module(readFileSync(wasm)));
}
const open = encoders.openFjordEncoder ?? encoders.openWasmEncoder;
const file = openSync(output, 'w');
const encoder = await open({ fields, ...ROW_GROUP, compression: 'zstd' }, async (bytes) => writeSync(file, bytes) > 0);
let rows = 0;
for (const stream of readStreams()) {
  const schemaBytes = 8 + new DataView(stream.buffer).getInt32(4, true);
  // A copy of the schema, as the message to a worker thread is: what an encoder has taken is gone.
  rows += await encoder.write([schema.slice(), stream.subarray(schemaBytes)]);
  if (!stream.buffer.detached) stream.buffer.transfer(0);
}
await encoder.close();
closeSync(file);
const { user, system } = process.cpuUsage(before);
const figures = {
  rows,
  wallS: (performance.now() - start) / 1000,
  cpuS: (user + system) / 1e6,
  peakRssMB: process.resourceUsage().maxRSS / 1024,
  bytes: statSync(output).size,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

/** Each stream in memory of its own. */
function* readStreams() {
  const input = openSync(path.join(batches, 'batches'), 'r');
  const length = Buffer.alloc(LENGTH_BYTES);
  while (readSync(input, length) === LENGTH_BYTES) {
    const stream = new Uint8Array(length.readUInt32LE(0));
    readSync(input, stream);
    yield stream;
  }
  closeSync(input);
}
