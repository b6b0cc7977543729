import { Worker } from 'node:worker_threads';
import { ConnectorError, type Log } from '@fjord/core';
import { Mailbox } from './mailbox.ts';
import type { ChunkItem, ChunkOrder, FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/** How long a worker may take to close its connection before it is ended. */
const CLOSE_DEADLINE_MS = 2_000;
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** A worker thread that reads one chunk at a time on a connection of its own. */
export class ChunkReader implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #log: Log;
  #mailbox: Mailbox<ChunkItem> | undefined;

  constructor(start: WorkerStart, log: Log) {
    this.#log = log;
    this.#worker = new Worker(new URL(`./chunk-worker.${EXTENSION}`, import.meta.url), { workerData: start });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#mailbox?.close(error));
    this.#worker.on('exit', () => this.#mailbox?.close(new Error('a chunk worker ended in mid-chunk')));
  }

  /** Keeps the worker from beginning another statement, until it is told to go on. */
  setPaused(isPaused: boolean): void {
    this.#send({ type: 'pause', isPaused });
  }

  /** What a chunk gives. A batch counts as taken when the next item is asked for. */
  async *read(order: ChunkOrder, signal: AbortSignal): AsyncGenerator<ChunkItem> {
    signal.throwIfAborted();
    const mailbox = new Mailbox<ChunkItem>(Number.POSITIVE_INFINITY);
    this.#mailbox = mailbox;
    const abort = () => this.#send({ type: 'abort' });
    signal.addEventListener('abort', abort);
    try {
      this.#send({ type: 'read', order });
      for await (const item of mailbox) {
        yield item;
        if (item.type === 'batch') this.#send({ type: 'taken' });
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#mailbox = undefined;
    }
  }

  /** Gives the memory of a batch back to the worker that made it, for its next ones. */
  giveBack(body: readonly Uint8Array[]): void {
    const memory = body.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer && !buffer.detached ? [buffer] : []));
    if (memory.length > 0) this.#send({ type: 'sent', memory }, memory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#send({ type: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'batch':
      case 'reached':
      case 'boundary':
        void this.#mailbox?.put(message);
        return;
      case 'end':
        this.#mailbox?.close();
        return;
      case 'error': {
        const { code, message: text, help, stream } = message;
        this.#mailbox?.close(new ConnectorError(code, text, { help, ...(stream !== undefined && { stream }) }));
        return;
      }
      case 'log':
        this.#log(message.level, message.message, message.fields);
        return;
      default:
        message satisfies never;
    }
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
