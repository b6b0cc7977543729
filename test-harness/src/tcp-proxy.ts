import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const HOST = '127.0.0.1';

/** Starts a TCP proxy on 127.0.0.1 before a server, to break the network between it and its clients at will. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const proxy = new TcpProxy(target);
  await proxy.accept();
  return proxy;
}

/** A TCP proxy that can cut, stall, delay and refuse; it closes with its `await using` scope. */
export class TcpProxy implements AsyncDisposable {
  readonly host = HOST;
  /** How long each piece of data is kept back, in milliseconds, in either direction. */
  delayMs = 0;
  /** Asked for each new connection: how many bytes the server may send on it before it is cut; undefined: any number. */
  cutAfterBytes: (() => number | undefined) | undefined;
  /** Shown each piece of data that a client sends, before it is passed on. */
  onSent: ((piece: Buffer) => void) | undefined;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<[client: Socket, server: Socket]>();
  #listener: Server | undefined;
  #port = 0;
  #gate: PromiseWithResolvers<void> | undefined;
  #accepted = 0;
  #cuts = 0;
  #received = 0;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** How many connections there were since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many bytes the server has sent since the start, on all connections. */
  get received(): number {
    return this.#received;
  }

  /** How many connections were cut since the start, by `cut` or `cutAfterBytes`. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Resets all open connections, in both directions. */
  cut(): void {
    for (const pair of this.#pairs) this.#reset(pair);
  }

  /** Holds back all data from now on, with the connections left open, as a network that swallows packets. */
  stall(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Ends a stall: what was held back arrives. */
  resume(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Refuses new connections; open ones stay. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    // Its `close` event waits for open connections; the port is free at once.
    listener?.close();
  }

  /** Takes connections, on the same port as before. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return;
    this.#listener = createServer((client) => this.#join(client));
    this.#listener.listen(this.#port, HOST);
    await once(this.#listener, 'listening');
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    this.resume();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #join(client: Socket): void {
    const server = connect(this.#target);
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    this.#accepted += 1;
    for (const socket of pair) {
      socket.setNoDelay(true);
      // Whoever breaks off takes the other side with him; the reason is of no interest here.
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    void this.#forward(client, server, (piece) => {
      this.onSent?.(piece);
      return true;
    });
    void this.#forward(server, client, this.#allowance(pair));
  }

  /** What the server's bytes are counted against. */
  #allowance(pair: [Socket, Socket]): (piece: Buffer) => boolean {
    let left = this.cutAfterBytes?.();
    return (piece) => {
      this.#received += piece.length;
      if (left === undefined) return true;
      left -= piece.length;
      if (left < 0) this.#reset(pair);
      return left >= 0;
    };
  }

  async #forward(from: Socket, to: Socket, mayPass: (piece: Buffer) => boolean = () => true): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (this.delayMs > 0) await delay(this.delayMs);
        await this.#gate?.promise;
        if (!mayPass(piece)) return;
        if (!to.write(piece)) await once(to, 'drain');
      }
      to.end();
    } catch {
      // Either side has closed in mid-transfer.
    }
  }

  #reset(pair: [Socket, Socket]): void {
    this.#cuts += 1;
    for (const socket of pair) socket.resetAndDestroy();
  }
}
