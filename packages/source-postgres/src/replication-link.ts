import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { ReadingSocket } from '@fjord/replication/connection';
import { serverError, queryMessage, socketOf } from './copy/server-messages.ts';
import { MessageBuffer } from './pgoutput/message-buffer.ts';
import type { Lsn } from './position.ts';

/** Message types of the server (manual, 53.7 Message Formats). */
const COPY_BOTH = 0x57;
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const ERROR_RESPONSE = 0x45;
const READY_FOR_QUERY = 0x5a;

/** Beyond this many bytes that nobody has read the socket is paused: the server waits, and the log stays with it. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** The server sends each change by itself. After a read of less than this the next one waits a moment: to wake up for each would cost both more than the change. */
const SMALL_READ_BYTES = 32 * 1024;
const GATHER_MS = 1;
/** How long the server may take to notice that nobody reads on. */
const END_TIMEOUT_MS = 5000;

/** Microseconds from 1970-01-01 to 2000-01-01. */
const EPOCH_MICROS = 946_684_800_000_000n;

/** How far the log was received, and up to where it may be forgotten. */
export type Standing = { received: Lsn; flushed: Lsn };

/**
 * A connection in copy-both mode, in which the server sends its log (manual, 53.4 Streaming Replication Protocol). Its bytes lie in
 * `buffer` as they came; nothing is taken from the socket while too many wait there.
 */
export class ReplicationLink {
  readonly buffer = new MessageBuffer();
  readonly #socket: Socket;
  readonly #standing: () => Standing;
  #timer: NodeJS.Timeout | undefined;
  #serverError: Error | undefined;
  #error: Error | undefined;
  #hasNews = false;
  #smallReadAt = 0;
  #isWoken = false;
  #isStarted = false;
  #isEnding = false;
  #isFinished = false;
  #wake: (() => void) | undefined;

  private constructor(client: Client, standing: () => Standing) {
    this.#socket = socketOf(client);
    this.#standing = standing;
    this.#socket.removeAllListeners('data');
    if (this.#socket instanceof ReadingSocket) this.#socket.taker = this.#push;
    else this.#socket.on('data', this.#push);
    this.#socket.on('close', this.#close);
  }

  /** Begins to receive the log; an error of the server is thrown as the driver throws it. Nothing else may use the client from now on. */
  static async start(
    client: Client,
    sql: string,
    { standing, statusMs }: { standing: () => Standing; statusMs: number },
  ): Promise<ReplicationLink> {
    const link = new ReplicationLink(client, standing);
    link.#socket.write(queryMessage(sql));
    while (!link.#isStarted) {
      link.#readHead();
      if (!link.#isStarted) await link.more();
    }
    // Also while nobody reads: a server that hears nothing for wal_sender_timeout cuts the connection.
    link.#timer = setInterval(() => link.sendStatus('no reply'), statusMs);
    return link;
  }

  get isOpen(): boolean {
    return this.#error === undefined && !this.#isFinished;
  }

  /** Waits for more bytes, at most so long, and says whether there are any; throws when there will be none. */
  async more(timeoutMs?: number): Promise<boolean> {
    this.#throwFault();
    this.#hasNews = false;
    this.#isWoken = false;
    if (performance.now() - this.#smallReadAt < GATHER_MS) await delay(GATHER_MS);
    this.#throwFault();
    if (this.#isWoken) return false;
    this.#socket.resume();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
    this.#throwFault();
    return this.#hasNews;
  }

  /** Ends a wait. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Takes a message that is none of the log: an error, or the end of copying. */
  receive(type: number, payload: Buffer): void {
    if (type === ERROR_RESPONSE) this.#fail(serverError(payload));
    else if (type === COPY_DONE && !this.#isEnding)
      this.#fail(new Error('Connection terminated: the server ended the log'));
  }

  /** Says where we stand (manual, Standby status update); the server answers with how far the log is, if asked. */
  sendStatus(asks: 'for a reply' | 'no reply'): void {
    if (!this.isOpen || this.#isEnding) return;
    const { received, flushed } = this.#standing();
    const message = Buffer.alloc(5 + 34);
    message.write('d');
    message.writeInt32BE(4 + 34, 1);
    message.write('r', 5);
    message.writeBigInt64BE(received, 6);
    message.writeBigInt64BE(flushed, 14);
    message.writeBigInt64BE(flushed, 22);
    message.writeBigInt64BE(BigInt(Date.now()) * 1000n - EPOCH_MICROS, 30);
    message[38] = asks === 'for a reply' ? 1 : 0;
    this.#socket.write(message);
  }

  /** Says a last time where we stand and leaves copying, so that the server has taken note and the slot is free; in the end cuts the connection. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.isOpen) return;
    this.sendStatus('no reply');
    this.#isEnding = true;
    this.#socket.write(Buffer.from([COPY_DONE, 0, 0, 0, 4]));
    const deadline = Date.now() + END_TIMEOUT_MS;
    while (!this.#isFinished && Date.now() < deadline) {
      this.#drain();
      if (!this.#isFinished) await this.more(deadline - Date.now()).catch(() => (this.#isFinished = true));
    }
    this.#isFinished = true;
    this.#socket.destroy();
  }

  /** Drops all messages up to ReadyForQuery. */
  #drain(): void {
    const { buffer } = this;
    while (buffer.length >= 5) {
      const next = buffer.start + 1 + buffer.view.getInt32(buffer.start + 1);
      if (next > buffer.end) return;
      if (buffer.bytes[buffer.start] === READY_FOR_QUERY) this.#isFinished = true;
      buffer.start = next;
    }
  }

  /** What comes before the log: notices, then CopyBothResponse or an error. */
  #readHead(): void {
    const { buffer } = this;
    while (!this.#isStarted && buffer.length >= 5) {
      const next = buffer.start + 1 + buffer.view.getInt32(buffer.start + 1);
      if (next > buffer.end) return;
      const type = buffer.bytes[buffer.start];
      if (type === COPY_BOTH) this.#isStarted = true;
      else if (type === ERROR_RESPONSE) this.#serverError = serverError(buffer.bytes.subarray(buffer.start + 5, next));
      else if (type === READY_FOR_QUERY) this.#fail(this.#serverError ?? new Error('the server sent no log'));
      else if (type === COPY_DATA) throw new Error('the server sent its log before it said so');
      buffer.start = next;
      this.#throwFault();
    }
  }

  #throwFault(): void {
    if (this.#error) throw this.#error;
  }

  #fail(error: Error): void {
    this.#error ??= this.#serverError ?? error;
    clearInterval(this.#timer);
    this.#wake?.();
  }

  readonly #push = (chunk: Uint8Array): boolean => {
    this.buffer.append(chunk);
    this.#hasNews = true;
    // What comes encrypted comes in pieces of its own size, however much waits.
    const isSmall = this.#socket instanceof ReadingSocket && chunk.length < SMALL_READ_BYTES;
    if (isSmall) this.#smallReadAt = performance.now();
    const isWanted = !isSmall && this.buffer.length < HIGH_WATER_BYTES;
    if (!isWanted) this.#socket.pause();
    this.#wake?.();
    return isWanted;
  };

  readonly #close = (): void => {
    this.#fail(Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }));
  };
}
