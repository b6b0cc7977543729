import { readFile } from 'node:fs/promises';
import { ConnectorError } from '@fjord/core';
import type { Client, ClientConfig, FieldDef, QueryResultRow } from 'pg';
import type { Config } from './config.ts';
import { CopySocket } from './copy/copy-socket.ts';
import { type Target, toConnectorError } from './driver-errors.ts';

// A peer that vanished without a word is noticed by the kernel; it begins to ask after this long a silence.
const KEEP_ALIVE_MS = 30_000;

/**
 * What a value's text looks like must not depend on the role, the database or the server. An empty search_path makes every name
 * the server prints a qualified one; with row_security off a policy that would hide rows is an error. JIT pays for long
 * computations, not for copying columns.
 */
const SESSION = `
  SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC';
  SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmlbinary = 'base64'; SET search_path = '';
  SET row_security = off; SET jit = off; SET default_transaction_read_only = on;`;

/** What a query's result says about its columns: domains are already resolved to their base types. */
export type ResultColumn = Pick<FieldDef, 'name' | 'dataTypeID' | 'dataTypeModifier'>;

/** An open session with pinned settings. Every fault is a ConnectorError; a broken one stays broken. */
export class Connection implements AsyncDisposable {
  /** Settles when the connection breaks, or is closed. */
  readonly closed: Promise<ConnectorError>;
  /** The driver's own connection, for COPY. */
  readonly client: Client;
  readonly #target: Target;
  #isOpen = true;

  constructor(client: Client, target: Target) {
    this.client = client;
    this.#target = target;
    const { promise, resolve } = Promise.withResolvers<ConnectorError>();
    this.closed = promise;
    const close = (cause: unknown) => {
      this.#isOpen = false;
      resolve(toConnectorError(cause, target));
    };
    client.on('error', close);
    client.on('end', () => close(new Error('Connection terminated')));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs a statement; several at once only without values. `stream` is what an error message names. */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = [], stream?: string): Promise<Row[]> {
    try {
      const result = await this.client.query<Row>(values.length === 0 ? { text: sql } : { text: sql, values });
      return result.rows;
    } catch (cause) {
      throw this.explain(cause, stream);
    }
  }

  /** The columns that a query gives, as the server describes them now. */
  async describe(sql: string, stream?: string): Promise<ResultColumn[]> {
    try {
      return (await this.client.query({ text: sql, rowMode: 'array' })).fields;
    } catch (cause) {
      throw this.explain(cause, stream);
    }
  }

  /** An error of this connection as a ConnectorError. */
  explain(cause: unknown, stream?: string): ConnectorError {
    return toConnectorError(cause, stream === undefined ? this.#target : { ...this.#target, stream });
  }

  /** Closes the connection; in the middle of a COPY it is cut, and the server stops sending. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Opens a session. The driver is loaded here, so that `spec` need not wait for it. */
export async function connect(config: Config): Promise<Connection> {
  const { Client } = await import('pg');
  const client = new Client(await clientConfig(config));
  const connection = new Connection(client, targetOf(config));
  try {
    await client.connect();
    await client.query(SESSION);
    return connection;
  } catch (cause) {
    await connection[Symbol.asyncDispose]();
    throw connection.explain(cause);
  }
}

/** What error messages name for this config. */
export function targetOf({ host, port, database, user }: Config): Target {
  return { host, port, database, user };
}

async function clientConfig(config: Config): Promise<ClientConfig> {
  const { host, port, database, user, password } = config;
  const ssl = await tlsOptions(config);
  return {
    host,
    port,
    database,
    user,
    // A function, because for an empty or absent password the driver would look into PGPASSWORD and ~/.pgpass.
    password: () => password ?? '',
    ssl,
    // TLS takes the bytes from the socket's handle, past any JavaScript of the socket.
    ...(ssl === false && { stream: () => new CopySocket() }),
    application_name: config.applicationName,
    connectionTimeoutMillis: config.connectTimeoutSeconds * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  };
}

async function tlsOptions({ host, tls }: Config): Promise<ClientConfig['ssl']> {
  // A Unix socket does not leave the machine, and the server offers no TLS on it.
  if (tls.mode === 'disable' || host.startsWith('/')) return false;
  const ca = tls.caFile === undefined ? {} : { ca: await readCaFile(tls.caFile) };
  // With an address instead of a name, Node checks the certificate against `host`; without it, against "localhost".
  if (tls.mode === 'verify-full') return { ...ca, host, rejectUnauthorized: true };
  if (tls.mode === 'verify-ca') return { ...ca, host, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  return { ...ca, host, rejectUnauthorized: false };
}

async function readCaFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConnectorError('config_invalid', `The file "${path}" of option tls.caFile cannot be read.`, { cause });
  });
}
