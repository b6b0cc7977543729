import { parentPort, workerData } from 'node:worker_threads';
import { type FileIO, IcebergError, shareFileIOs } from '@fjord/iceberg/data-file-writing';
import { ParquetError } from '@fjord/parquet';
import { causesOf } from '../error-causes.ts';
import { openFjordEncoder } from './fjord-encoder.ts';
import { RollingFile } from './rolling-file.ts';
import type { Fault, RollingFileOptions, WorkerAnswer, WorkerCall, WorkerStart } from './worker-messages.ts';

/** The thread that encodes: works off the calls of several writers, those of each writer in order. */
const start: WorkerStart = workerData;
const port = parentPort;
if (!port) throw new Error('this file is the body of a worker thread');

type ChunkFile = Pick<RollingFile, 'write' | 'close' | 'abort'>;
type Writer = { file: Promise<ChunkFile>; last: Promise<void>; failure?: unknown };

const writers = new Map<number, Writer>();
const sortMemory = { maxBytes: start.sortBytes, files: 0 };
const fileIOs = new Map<string, (location: string) => FileIO>();

const wasm = start.wasm && (await startWasm(start.wasm));

port.on('message', (call: WorkerCall) => {
  if (call.type === 'open')
    writers.set(call.writer, { file: openFile(call.writer, call.options), last: Promise.resolve() });
  const writer = writers.get(call.writer);
  if (!writer) throw new Error(`writer ${call.writer} is not open`);
  writer.last = writer.last.then(() => answer(call, writer));
});

async function answer(call: WorkerCall, writer: Writer): Promise<void> {
  try {
    // What follows a failed write would end in a file that lacks it.
    if (writer.failure !== undefined && call.type !== 'abort') throw writer.failure;
    const files = await run(call, await writer.file);
    const memory = call.type === 'write' ? memoryOf(call.body) : [];
    post({ type: 'done', call: call.call, files, memory, heapBytes: wasm?.wasmMemoryBytes() ?? 0 }, memory);
  } catch (cause) {
    writer.failure ??= cause;
    // A trap leaves the WebAssembly heap in disorder: no writer of this thread can go on.
    if (cause instanceof WebAssembly.RuntimeError) return endThread(cause);
    const error = cause instanceof Error ? cause : new Error(String(cause));
    post({ type: 'failed', call: call.call, error, fault: faultOf(cause), causes: causesOf(cause) });
  }
}

function faultOf(cause: unknown): Fault | undefined {
  if (cause instanceof IcebergError) return { from: 'iceberg', code: cause.code };
  return cause instanceof ParquetError ? { from: 'parquet', code: cause.code } : undefined;
}

function endThread(cause: Error): void {
  setImmediate(() => {
    throw cause;
  });
}

async function run(call: WorkerCall, file: ChunkFile) {
  switch (call.type) {
    case 'open':
      return [];
    case 'write':
      await file.write(call.rows, call.body);
      return [];
    case 'close': {
      const files = await file.close();
      writers.delete(call.writer);
      return files;
    }
    case 'abort':
      writers.delete(call.writer);
      await file.abort();
      return [];
    default:
      return call satisfies never;
  }
}

/** An encoded batch's memory goes back to the main thread, which reads the next batches into it. */
function memoryOf(body: readonly Uint8Array[]): ArrayBuffer[] {
  return body.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer && !buffer.detached ? [buffer] : []));
}

async function openFile(writer: number, options: RollingFileOptions): Promise<ChunkFile> {
  const onFile = (location: string) => post({ type: 'file', writer, location });
  const file = new RollingFile(options, wasm?.openWasmEncoder ?? openFjordEncoder, fileIOFor(options), onFile);
  const { sort } = options;
  if (!sort || sort.isInOrder) return file;
  // What sorts reads Arrow, and is loaded only where rows are sorted.
  const { SortedFile } = await import('../sort/sorted-file.ts');
  return new SortedFile(file, options, { plan: sort, memory: sortMemory });
}

/** parquet-wasm is large: it is loaded only where it is used. */
async function startWasm(module: WebAssembly.Module) {
  const encoder = await import('./wasm-encoder.ts');
  encoder.startWasm(module);
  return encoder;
}

/** One FileIO for each scheme and set of options, so that connections are shared. */
function fileIOFor({ locationPrefix, io }: RollingFileOptions): FileIO {
  const key = JSON.stringify(io);
  const open = fileIOs.get(key) ?? shareFileIOs(io);
  fileIOs.set(key, open);
  return open(locationPrefix);
}

function post(message: WorkerAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}
