import type { Socket } from 'node:net';
import type { EncodedBatch } from '../database.ts';
import { ReadingSocket } from './reading-socket.ts';
import { SilenceWatch } from './silence.ts';

/** Turns a server's bytes, cut anywhere, into batches, up to the end of its answer. */
export interface RowDecoder {
  /** Whether the answer has ended: what comes next is the driver's. */
  readonly isFinished: boolean;
  /** The error that the server has sent, as the driver would throw it. */
  readonly serverError: Error | undefined;
  /** Takes the next bytes; gives the batches that they complete. */
  push(chunk: Uint8Array): EncodedBatch[];
  /** The rows that no batch holds yet. */
  end(): EncodedBatch[];
}

export type TakenRequest = {
  /** What makes the server send rows, as it is written to the socket. */
  command: Uint8Array;
  decoder: RowDecoder;
  /** For how long the server may send nothing while its bytes are waited for; any time if undefined. */
  silenceLimitMs: number | undefined;
  signal: AbortSignal;
};

/**
 * Sends a command on the socket of an idle driver and yields the rows of its answer in batches. Until the answer ends the socket's bytes go to
 * the decoder instead of the driver, whose parser makes an object of each row. A server error is thrown and leaves the connection usable; a
 * consumer that stops early, an abort, or a server that is silent for too long, cuts the connection.
 */
export async function* readTakenSocket(socket: Socket, request: TakenRequest): AsyncGenerator<EncodedBatch> {
  const { signal } = request;
  signal.throwIfAborted();
  const taken = new TakenSocket(socket, request);
  const abort = () => taken.fail(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    yield* taken.batches();
  } finally {
    signal.removeEventListener('abort', abort);
    taken.release();
  }
}

/** A socket while it is taken: batches as they are decoded, with the socket paused while nobody takes them. */
class TakenSocket {
  readonly #socket: Socket;
  readonly #decoder: RowDecoder;
  readonly #driverListeners: ((chunk: Buffer) => void)[];
  #ready: EncodedBatch[] = [];
  #error: unknown;
  #wake: (() => void) | undefined;
  #watch: SilenceWatch | undefined;
  readonly #silenceLimitMs: number | undefined;

  constructor(socket: Socket, { command, decoder, silenceLimitMs }: TakenRequest) {
    this.#socket = socket;
    this.#decoder = decoder;
    this.#silenceLimitMs = silenceLimitMs;
    this.#driverListeners = this.#socket.listeners('data') as ((chunk: Buffer) => void)[];
    this.#take();
    this.#socket.on('close', this.#close);
    // One that broke while nothing was read has no more events.
    if (this.#socket.destroyed) this.#close();
    else this.#socket.write(command);
  }

  async *batches(): AsyncGenerator<EncodedBatch> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const batch = this.#ready.shift();
      if (batch) {
        yield batch;
        continue;
      }
      if (this.#decoder.isFinished) break;
      await this.#untilSent();
    }
    if (this.#decoder.serverError) throw this.#decoder.serverError;
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
    if (this.#socket instanceof ReadingSocket) this.#socket.taker = this.#push;
    else this.#socket.on('data', this.#push);
  }

  /** Gives the socket back to the driver, or destroys it when the server is still sending. */
  release(): void {
    if (this.#socket instanceof ReadingSocket) this.#socket.taker = undefined;
    this.#socket.off('data', this.#push);
    this.#socket.off('close', this.#close);
    for (const listener of this.#driverListeners) this.#socket.on('data', listener);
    if (this.#decoder.isFinished) this.#socket.resume();
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
    if (!isWanted || this.#decoder.isFinished) this.#wake?.();
    return isWanted;
  };

  readonly #close = (): void => {
    // After a fatal error the server closes without the end of its answer: the error says why.
    this.fail(
      this.#decoder.serverError ??
        Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }),
    );
  };
}
