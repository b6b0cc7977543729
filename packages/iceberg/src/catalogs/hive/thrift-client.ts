import { type Socket, connect } from 'node:net';
import { EXCEPTION, decodeMessage, encodeCall, type ThriftMessage } from './thrift-protocol.ts';
import { type ThriftStruct, textOf, structOf, type ThriftValue } from './thrift-value.ts';

/** A metastore that copies files at an ALTER TABLE may take long; what takes this long is stuck. */
const TIMEOUT_MS = 120_000;

/** An exception that the called method declares: its number in the interface definition, from 1. */
export class ThriftException extends Error {
  override readonly name = 'ThriftException';
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

/** Calls methods of a Thrift server over one connection, opened when needed and again after it broke. One call at a time. */
export class ThriftClient {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Calls a method and returns its result. Throws ThriftException for a declared exception, Error if there was no answer. */
  call(method: string, args: ThriftStruct): Promise<ThriftValue | undefined> {
    const call = this.#last.then(() => this.#call(method, args));
    this.#last = call.catch(() => undefined);
    return call;
  }

  /** Closes the connection after the last call. */
  async close(): Promise<void> {
    await this.#last;
    this.#socket?.destroy();
  }

  async #call(method: string, args: ThriftStruct): Promise<ThriftValue | undefined> {
    const socket = await this.#connected();
    try {
      const answer = receive(socket);
      socket.write(encodeCall(method, ++this.#sequence, args));
      const message = await answer;
      if (message.sequence !== this.#sequence) throw new Error(`The answer to ${method} is that to another call.`);
      return resultOf(method, message);
    } catch (error) {
      // What else comes on this connection would be taken for the answer to the next call.
      if (!(error instanceof ThriftException)) this.#drop();
      throw error;
    }
  }

  async #connected(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && !this.#socket.readableEnded) return this.#socket;
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('timed out')));
    const opened = Promise.withResolvers<void>();
    socket.once('connect', opened.resolve);
    // Stays: a connection that breaks between two calls is no error yet.
    socket.on('error', opened.reject);
    await opened.promise;
    // An idle connection neither times out nor keeps the process alive.
    socket.setTimeout(0);
    this.#socket = socket;
    return socket;
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

function receive(socket: Socket): Promise<ThriftMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<ThriftMessage>();
  const chunks: Buffer[] = [];
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    try {
      const message = decodeMessage(Buffer.concat(chunks));
      if (message) resolve(message);
    } catch (error) {
      reject(error);
    }
  };
  const onClose = (): void => reject(new Error('The connection was closed before the answer came.'));
  socket.setTimeout(TIMEOUT_MS);
  socket.on('data', onData).on('error', reject).on('close', onClose);
  return promise.finally(() => {
    socket.setTimeout(0);
    socket.off('data', onData).off('error', reject).off('close', onClose);
  });
}

function resultOf(method: string, { type, fields }: ThriftMessage): ThriftValue | undefined {
  if (type === EXCEPTION) throw new ThriftException(0, `${method}: ${textOf(fields.get(1)) ?? 'unknown exception'}`);
  for (const [number, value] of fields) {
    if (number > 0) throw new ThriftException(number, `${method}: ${textOf(structOf(value).get(1)) ?? 'no message'}`);
  }
  return fields.get(0);
}
