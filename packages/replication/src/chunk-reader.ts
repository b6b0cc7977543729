import { Worker } from 'node:worker_threads';
import { ConnectorError, type Log } from '@fjord/core';
import type { EncodedBatch, ReadChunkRequest } from './database.ts';
import { Mailbox } from './mailbox.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/** How long a worker may take to close its connection before it is ended. */
const CLOSE_DEADLINE_MS = 2_000;
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** A worker thread that reads one chunk at a time on a connection of its own. */
export class ChunkReader implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #log: Log;
  #mailbox: Mailbox<EncodedBatch> | undefined;

  constructor(start: WorkerStart, log: Log) {
    this.#log = log;
    this.#worker = new Worker(new URL(`./chunk-worker.${EXTENSION}`, import.meta.url), { workerData: start });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#mailbox?.close(error));
    this.#worker.on('exit', () => this.#mailbox?.close(new Error('a chunk worker ended in mid-chunk')));
  }

  /** The batches of a chunk. A batch counts as taken when the next one is asked for. */
  async *read({ signal, ...request }: ReadChunkRequest): AsyncGenerator<EncodedBatch> {
    signal.throwIfAborted();
    const mailbox = new Mailbox<EncodedBatch>(Number.POSITIVE_INFINITY);
    this.#mailbox = mailbox;
    const abort = () => this.#send({ type: 'abort' });
    signal.addEventListener('abort', abort);
    try {
      this.#send({ type: 'read', request });
      for await (const batch of mailbox) {
        yield batch;
        this.#send({ type: 'taken' });
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#mailbox = undefined;
    }
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
        void this.#mailbox?.put(message);
        return;
      case 'end':
        this.#mailbox?.close();
        return;
      case 'error': {
        const { code, message: text, stream } = message;
        this.#mailbox?.close(new ConnectorError(code, text, stream === undefined ? {} : { stream }));
        return;
      }
      case 'log':
        this.#log(message.level, message.message, message.fields);
        return;
      default:
        message satisfies never;
    }
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
