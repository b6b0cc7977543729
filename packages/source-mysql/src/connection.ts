import { Socket } from 'node:net';
import { ConnectorError } from '@fjord/core';
import { forgetPassword, ReadingSocket, readPassword, SilenceWatch } from '@fjord/replication/connection';
import type { Connection as Client, ConnectionOptions as ClientOptions } from 'mysql2';
import type { ConnectionOptions } from './connection-options.ts';
import { type ConnectionSettings, settingsOf } from './connection-settings.ts';
import { type Target, toConnectorError } from './driver-errors.ts';
import { socketOf } from './rows/row-reader.ts';
import { FACTS, readFacts, type ServerFacts, settingsStatement } from './session.ts';
import { tlsOptions } from './tls.ts';

/** A row of a query of our own: numbers too large for JavaScript, decimals and times come as text. */
export type Row = Record<string, string | number | Buffer | null>;

/** An open session with pinned settings. Every fault is a ConnectorError; a broken one stays broken. */
export class Connection implements AsyncDisposable {
  /** The driver's own connection, for rows. */
  readonly client: Client;
  /** What error messages name. */
  readonly target: Target;
  readonly facts: ServerFacts;
  /** For how long the server may leave a statement without any answer, before the connection is cut; any time if undefined. */
  silenceLimitMs: number | undefined;
  #isOpen = true;

  private constructor(client: Client, target: Target, facts: ServerFacts) {
    this.client = client;
    this.target = target;
    this.facts = facts;
    const close = () => {
      this.#isOpen = false;
    };
    // Whoever still uses it gets the error from the statement.
    client.on('error', close);
    socketOf(client).on('close', close);
  }

  /** A connection that is logged in, its settings pinned. */
  static async begin(client: Client, target: Target): Promise<Connection> {
    const [row] = await send<{ version: string; account: string }>(client, FACTS);
    if (!row) throw new Error('the server said nothing of itself');
    const facts = readFacts(row);
    await send(client, settingsStatement(facts));
    return new Connection(client, target, facts);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs a statement. `stream` is what an error message names. */
  async query<Result extends Row>(sql: string, stream?: string): Promise<Result[]> {
    try {
      using _watch = new SilenceWatch(this.silenceLimitMs, (error) => socketOf(this.client).destroy(error));
      return await send<Result>(this.client, sql);
    } catch (cause) {
      throw this.explain(cause, stream);
    }
  }

  /** An error of this connection as a ConnectorError. */
  explain(cause: unknown, stream?: string): ConnectorError {
    return toConnectorError(cause, stream === undefined ? this.target : { ...this.target, stream });
  }

  /** Closes the connection; in the middle of a result it is cut, and the server stops sending. */
  [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    return Promise.resolve();
  }
}

/** Opens a session. The driver is loaded here, so that `spec` need not wait for it. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const settings = settingsOf(options);
  const password = await readPassword(settings);
  try {
    return await logIn(settings, password);
  } catch (error) {
    const isRefused = error instanceof ConnectorError && error.code === 'authentication_failed';
    if (!isRefused || !(await forgetPassword(settings, password))) throw error;
    return logIn(settings, await readPassword(settings));
  }
}

async function logIn(settings: ConnectionSettings, password: string): Promise<Connection> {
  const { host, port, user } = settings;
  const target = { host, port, user };
  const { createConnection } = await import('mysql2');
  const client = createConnection(await clientOptions(settings, password));
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('error', reject);
      client.connect((error) => (error ? reject(error) : resolve()));
    });
    return await Connection.begin(client, target);
  } catch (cause) {
    client.destroy();
    throw toConnectorError(cause, target);
  }
}

async function clientOptions(settings: ConnectionSettings, password: string): Promise<ClientOptions> {
  const { host, port, user, connectTimeoutMs, keepAliveMs } = settings;
  const ssl = await tlsOptions(settings.tls, host);
  // TLS takes the bytes from the socket's handle, past any JavaScript of the socket.
  const socket = () => {
    const made = ssl === undefined ? new ReadingSocket() : new Socket();
    made.setNoDelay(true);
    made.setKeepAlive(true, keepAliveMs);
    return host.startsWith('/') ? made.connect(host) : made.connect(port, host);
  };
  return {
    ...{ host, port, user, password, stream: socket },
    ...(ssl && { ssl }),
    connectTimeout: connectTimeoutMs,
    charset: 'utf8mb4',
    // A server must not be able to ask for files of this machine.
    flags: ['-LOCAL_FILES'],
    connectAttributes: { program_name: 'fjord' },
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
  };
}

function send<Result>(client: Client, sql: string): Promise<Result[]> {
  return new Promise((resolve, reject) => {
    client.query(sql, (error: unknown, rows: unknown) => {
      if (error) reject(error as Error);
      else resolve(Array.isArray(rows) ? (rows as Result[]) : []);
    });
  });
}
