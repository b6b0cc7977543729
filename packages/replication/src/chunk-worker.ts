import { parentPort, workerData } from 'node:worker_threads';
import { asConnectorError, type RunContext } from '@fjord/core';
import type { Database, ReadChunkRequest } from './database.ts';
import type { DatabaseSource } from './define-database-source.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/** Batches that may wait for the main thread: one being sent, one ready. */
const CREDITS = 2;

if (!parentPort) throw new Error('chunk-worker runs only as a worker thread');
const port = parentPort;
const start: WorkerStart = workerData;
let abort = new AbortController();
let database: Promise<Database> | undefined;
let credits = CREDITS;
let wake: (() => void) | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'read':
      abort = new AbortController();
      credits = CREDITS;
      void readChunk({ ...message.request, signal: abort.signal });
      return;
    case 'taken':
      credits += 1;
      wake?.();
      return;
    case 'abort':
      abort.abort();
      wake?.();
      return;
    case 'close':
      void close();
      return;
    default:
      message satisfies never;
  }
});

async function readChunk(request: ReadChunkRequest): Promise<void> {
  try {
    database ??= openDatabase();
    for await (const { rows, body, rejected } of (await database).readChunk(request)) {
      while (credits === 0 && !request.signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      request.signal.throwIfAborted();
      credits -= 1;
      send({ type: 'batch', rows, body, rejected }, transferable(body));
    }
    send({ type: 'end' });
  } catch (error) {
    await dropDatabase();
    const { code, message, stream } = asConnectorError(error);
    send({ type: 'error', code, message, ...(stream !== undefined && { stream }) });
  }
}

async function openDatabase(): Promise<Database> {
  const module: { default: DatabaseSource } = await import(start.module);
  const context: RunContext = {
    log: (level, message, fields) => send({ type: 'log', level, message, ...(fields && { fields }) }),
    progress: () => undefined,
    report: () => undefined,
    signal: new AbortController().signal,
  };
  return module.default.open(start.config, context);
}

/** After a fault the connection's state is unknown: the next chunk opens a new one. */
async function dropDatabase(): Promise<void> {
  const broken = database;
  database = undefined;
  await broken?.then((open) => open[Symbol.asyncDispose]()).catch(() => undefined);
}

async function close(): Promise<void> {
  await dropDatabase();
  port.close();
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function transferable(body: Uint8Array[]): ArrayBuffer[] {
  return body.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
