import type { Socket } from 'node:net';
import type { EncodedBatch } from '@fjord/replication';
import type { Client } from 'pg';
import type { UnrepresentablePolicy } from '../config.ts';
import { SilenceWatch } from '../silence.ts';
import type { CopyColumn } from './copy-column.ts';
import { CopyDecoder } from './copy-decoder.ts';
import { CopySocket } from './copy-socket.ts';
import { queryMessage, serverError, socketOf } from './server-messages.ts';

/** Message types of the server (PostgreSQL manual, Message Formats). */
const ERROR_RESPONSE = 0x45;
const READY_FOR_QUERY = 0x5a;

export type CopyRequest = {
  /** A COPY … TO STDOUT (FORMAT binary) statement whose query selects `columns` in their order. */
  sql: string;
  columns: readonly CopyColumn[];
  stream: string;
  unrepresentable: UnrepresentablePolicy;
  batchBytes: number;
  /** For how long the server may send nothing while its bytes are waited for; any time if undefined. */
  silenceLimitMs: number | undefined;
  signal: AbortSignal;
};

/**
 * Runs a COPY on an idle connection and yields its rows in batches. For the time of the COPY the socket's bytes go to the decoder instead of the
 * driver, whose parser makes an object of each row. A server error is thrown as the driver throws it (`code` is the SQLSTATE) and leaves the
 * connection usable; a consumer that stops early, an abort, or a server that is silent for too long, cuts the connection.
 */
export async function* readCopy(client: Client, request: CopyRequest): AsyncGenerator<EncodedBatch> {
  const { signal } = request;
  signal.throwIfAborted();
  const copy = new CopyStream(client, request);
  const abort = () => copy.fail(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    yield* copy.batches();
  } finally {
    signal.removeEventListener('abort', abort);
    copy.release();
  }
}

/** A COPY that has the socket: batches as they are decoded, with the socket paused while nobody takes them. */
class CopyStream {
  readonly #socket: Socket;
  readonly #decoder: CopyDecoder;
  readonly #driverListeners: ((chunk: Buffer) => void)[];
  #ready: EncodedBatch[] = [];
  #serverError: Error | undefined;
  #error: unknown;
  #isFinished = false;
  #wake: (() => void) | undefined;
  #watch: SilenceWatch | undefined;
  readonly #silenceLimitMs: number | undefined;

  constructor(client: Client, request: CopyRequest) {
    this.#socket = socketOf(client);
    this.#silenceLimitMs = request.silenceLimitMs;
    this.#decoder = new CopyDecoder(request.columns, {
      ...request,
      onMessage: (type, payload) => this.#receive(type, payload),
    });
    this.#driverListeners = this.#socket.listeners('data') as ((chunk: Buffer) => void)[];
    this.#take();
    this.#socket.on('close', this.#close);
    // One that broke while nothing was read has no more events.
    if (this.#socket.destroyed) this.#close();
    else this.#socket.write(queryMessage(request.sql));
  }

  async *batches(): AsyncGenerator<EncodedBatch> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const batch = this.#ready.shift();
      if (batch) {
        yield batch;
        continue;
      }
      if (this.#isFinished) break;
      await this.#untilSent();
    }
    if (this.#serverError) throw this.#serverError;
    yield* this.#decoder.end();
  }

  async #untilSent(): Promise<void> {
    using watch = new SilenceWatch(this.#silenceLimitMs, (error) => this.fail(error));
    this.#watch = watch;
    this.#socket.resume();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.#wake?.();
  }

  /** Under TLS the driver has put another socket around the one it was given, which only has events. */
  #take(): void {
    this.#socket.removeAllListeners('data');
    if (this.#socket instanceof CopySocket) this.#socket.taker = this.#push;
    else this.#socket.on('data', this.#push);
  }

  /** Gives the socket back to the driver, or destroys it when the server is still sending. */
  release(): void {
    if (this.#socket instanceof CopySocket) this.#socket.taker = undefined;
    this.#socket.off('data', this.#push);
    this.#socket.off('close', this.#close);
    for (const listener of this.#driverListeners) this.#socket.on('data', listener);
    if (this.#isFinished) this.#socket.resume();
    else this.#socket.destroy();
  }

  /** Decodes the next bytes; false, and a paused socket, when there are batches to be taken first. */
  readonly #push = (chunk: Uint8Array): boolean => {
    this.#watch?.heard();
    try {
      this.#ready.push(...this.#decoder.push(chunk));
    } catch (error) {
      this.#error ??= error;
    }
    const isWanted = this.#ready.length === 0 && this.#error === undefined;
    if (!isWanted) this.#socket.pause();
    if (!isWanted || this.#isFinished) this.#wake?.();
    return isWanted;
  };

  readonly #close = (): void => {
    // After a FATAL error the server closes without ReadyForQuery: the error says why.
    this.fail(
      this.#serverError ?? Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }),
    );
  };

  #receive(type: number, payload: Buffer): void {
    if (type === ERROR_RESPONSE) this.#serverError ??= serverError(payload);
    if (type === READY_FOR_QUERY) this.#isFinished = true;
  }
}
