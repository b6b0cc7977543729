import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { asConnectorError, giveBackMemory, type RunContext, type SelectedStream } from '@fjord/core';
import { ChunkBudget } from './chunk-budget.ts';
import type { Database, EncodedBatch } from './database.ts';
import type { DatabaseSource } from './define-database-source.ts';
import { changesRows, sourceView } from './shape/source-view.ts';
import type { ChunkOrder, FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/** Batches that may wait for the main thread: one being sent, one ready. */
const CREDITS = 2;

if (!parentPort) throw new Error('chunk-worker runs only as a worker thread');
const port = parentPort;
const start: WorkerStart = workerData;
let abort = new AbortController();
let database: Promise<Database> | undefined;
let credits = CREDITS;
let isPaused = false;
let wake: (() => void) | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'read':
      abort = new AbortController();
      credits = CREDITS;
      void readChunk(message.order, abort.signal);
      return;
    case 'taken':
      credits += 1;
      wake?.();
      return;
    case 'sent':
      giveBackMemory(message.memory);
      return;
    case 'pause':
      isPaused = message.isPaused;
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

async function readChunk({ budget: limits, ...request }: ChunkOrder, signal: AbortSignal): Promise<void> {
  const budget = new ChunkBudget(limits);
  try {
    database ??= openDatabase();
    const reshape = await openReshaper(request.stream);
    const stream = sourceView(request.stream);
    for await (const item of (await database).readChunk({ ...request, stream, signal })) {
      if ('reached' in item) {
        send({ type: 'reached', reached: item.reached });
        if (budget.isUsed() && !request.plan.isWhole) break;
        await rest(budget, signal);
      } else if ('boundary' in item) {
        send({ type: 'boundary', boundary: item.boundary });
      } else {
        await until(() => credits > 0, signal);
        credits -= 1;
        const { rows, body, rejected } = reshape(item);
        for (const piece of body) budget.add(piece.byteLength);
        send({ type: 'batch', rows, body, rejected }, transferable(body));
      }
    }
    send({ type: 'end' });
  } catch (error) {
    await dropDatabase();
    const { code, message, help, stream } = asConnectorError(error);
    send({ type: 'error', code, message, help, ...(stream !== undefined && { stream }) });
  }
}

/** Between two statements the server gets its rest, and as long as reading is paused. */
async function rest(budget: ChunkBudget, signal: AbortSignal): Promise<void> {
  const restMs = budget.takeRestMs();
  if (restMs > 0) await delay(restMs, undefined, { signal });
  await until(() => !isPaused, signal);
}

async function until(isMet: () => boolean, signal: AbortSignal): Promise<void> {
  while (!isMet() && !signal.aborted) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  signal.throwIfAborted();
}

/** Most streams are sent as they are read: what computes columns, and the library that it needs, is loaded only for the others. */
async function openReshaper(stream: SelectedStream): Promise<(batch: EncodedBatch) => EncodedBatch> {
  const reshape = changesRows(stream) ? (await import('./shape/reshape.ts')).createReshaper(stream) : undefined;
  if (!reshape) return (batch) => batch;
  return (batch) => {
    const reshaped = reshape(batch);
    if (reshaped.body !== batch.body) giveBackMemory(batch.body.map(({ buffer }) => buffer));
    return reshaped;
  };
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
