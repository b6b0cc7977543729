import { parentPort } from 'node:worker_threads';
import { type FileIO, type FileIOProperties, shareFileIOs } from '@fjord/iceberg';

import { encodeRows, librarySchema } from './apache-arrow.ts';
import { causesOf } from '../error-causes.ts';
import type { SourceAnswer, SourceCall, SourceValue } from './source-messages.ts';
import { openWasmSource, type SourceBatch, type WasmSource } from './wasm-source.ts';

/** The thread that decodes: sources by number, and the reads that are under way in them. */
const port = parentPort;
if (!port) throw new Error('this file is the body of a worker thread');

const sources = new Map<number, WasmSource>();
const fileIOs = new Map<string, (location: string) => FileIO>();
const reads = new Map<number, AsyncGenerator<SourceBatch>>();

port.on('message', (call: SourceCall) => void answer(call));

async function answer(call: SourceCall): Promise<void> {
  try {
    const value = await run(call);
    const transfer = value.type === 'rows' ? [value.stream.buffer] : [];
    port?.postMessage({ call: call.call, value } satisfies SourceAnswer, transfer);
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    port?.postMessage({ call: call.call, error, code, causes: causesOf(cause) } satisfies SourceAnswer);
  }
}

async function run(call: SourceCall): Promise<SourceValue> {
  switch (call.type) {
    case 'open': {
      const { location, size, recordCount, nameMapping, io } = call;
      const source = await openWasmSource({ io: fileIOFor(location, io), location, size, recordCount, nameMapping });
      sources.set(call.source, source);
      return { type: 'opened', rowGroups: source.rowGroups, fieldIds: [...source.fieldIds] };
    }
    case 'next':
      return next(call);
    case 'end':
      await reads.get(call.read)?.return(undefined);
      reads.delete(call.read);
      return { type: 'done' };
    case 'close':
      sources.get(call.source)?.[Symbol.dispose]();
      sources.delete(call.source);
      return { type: 'done' };
    default:
      return call satisfies never;
  }
}

async function next({ source, read, fields, rowGroup }: Extract<SourceCall, { type: 'next' }>): Promise<SourceValue> {
  const batches = reads.get(read) ?? sources.get(source)?.read(fields, rowGroup);
  if (!batches) throw new Error(`Parquet source ${source} is not open`);
  reads.set(read, batches);
  const { done, value } = await batches.next();
  if (done) {
    reads.delete(read);
    return { type: 'done' };
  }
  const bytes = value.stream ?? encodeRows(librarySchema(fields), value);
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new Error('a batch lies in shared memory');
  return {
    type: 'rows',
    startRow: value.startRow,
    rows: value.length,
    stream: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  };
}

/** One FileIO for each scheme and set of options, so that connections are shared. */
function fileIOFor(location: string, io: FileIOProperties): FileIO {
  const key = JSON.stringify(io);
  const open = fileIOs.get(key) ?? shareFileIOs(io);
  fileIOs.set(key, open);
  return open(location);
}
