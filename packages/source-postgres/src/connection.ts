import { asConnectorError, ConnectorError, type ErrorCode } from '@fjord/core';
import type { Client, FieldDef, QueryResult, QueryResultRow } from 'pg';
import type { ConnectionOptions, TargetSession } from './connection-options.ts';
import { type ConnectionSettings, settingsOf } from './connection-settings.ts';
import type { Endpoint } from './connection-uri.ts';
import { socketOf } from './copy/server-messages.ts';
import { type Target, toConnectorError } from './driver-errors.ts';
import { type OpenClient, openClient } from './open-client.ts';
import { SESSION_FACTS, SESSION_SETTINGS, type SessionFacts, setStatements, withLocalSettings } from './session.ts';
import { SilenceWatch } from '@fjord/replication/connection';

/** What a query's result says about its columns: domains are already resolved to their base types. */
export type ResultColumn = Pick<FieldDef, 'name' | 'dataTypeID' | 'dataTypeModifier'>;

/** An open session with pinned settings. Every fault is a ConnectorError; a broken one stays broken. */
export class Connection implements AsyncDisposable {
  /** Settles when the connection breaks, or is closed. */
  readonly closed: Promise<ConnectorError>;
  /** The driver's own connection, for COPY. */
  readonly client: Client;
  /** What error messages name. */
  readonly target: Target;
  /** Where this connection leads, whatever the name may stand for when it is looked up again. */
  readonly endpoint: Endpoint;
  /** For how long the server may leave a statement without any answer, before the connection is cut; any time if undefined. */
  silenceLimitMs: number | undefined;
  readonly #tunnel: AsyncDisposable | undefined;
  #settings: Readonly<Record<string, string>> = SESSION_SETTINGS;
  #facts: SessionFacts | undefined;
  #isOpen = true;

  constructor({ client, target, endpoint, tunnel }: OpenClient) {
    this.client = client;
    this.target = target;
    this.endpoint = endpoint;
    this.#tunnel = tunnel;
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

  /** Whether the server is a standby, as it was when the connection was opened. */
  get isStandby(): boolean {
    return this.#facts?.isStandby ?? false;
  }

  /** Whether another process answered than the one that was logged in to: a pooler lends its sessions, perhaps for one transaction only. */
  get isPooled(): boolean {
    return this.#facts !== undefined && this.#facts.pid !== processOf(this.client);
  }

  /** Learns what the session is and pins its settings; `connect` has done it. */
  async begin(): Promise<SessionFacts> {
    const [facts] = await this.#send<SessionFacts>({ text: SESSION_FACTS }).then(({ rows }) => rows);
    if (!facts) throw new Error('the session said nothing of itself');
    this.#facts = facts;
    if (!this.isPooled) await this.#send({ text: setStatements(this.#settings, 'SESSION') });
    return facts;
  }

  /** Pins further settings for as long as the connection is open; a SET of one's own would not last behind a pooler. */
  async pin(settings: Readonly<Record<string, string>>): Promise<void> {
    this.#settings = { ...this.#settings, ...settings };
    if (!this.isPooled) await this.query(setStatements(settings, 'SESSION'));
  }

  /** Runs a statement; several at once only without values. `stream` is what an error message names. */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = [], stream?: string): Promise<Row[]> {
    return (await this.#run<Row>({ text: sql, ...(values.length > 0 && { values }) }, stream)).rows;
  }

  /** The columns that a query gives, as the server describes them now. */
  async describe(sql: string, stream?: string): Promise<ResultColumn[]> {
    return (await this.#run({ text: sql, rowMode: 'array' }, stream)).fields;
  }

  /** An error of this connection as a ConnectorError. */
  explain(cause: unknown, stream?: string): ConnectorError {
    return toConnectorError(cause, stream === undefined ? this.target : { ...this.target, stream });
  }

  /** Closes the connection; in the middle of a COPY it is cut, and the server stops sending. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end().catch(() => undefined);
    await this.#tunnel?.[Symbol.asyncDispose]();
  }

  async #run<Row extends QueryResultRow>(query: Query, stream?: string): Promise<QueryResult<Row>> {
    try {
      if (!this.isPooled || isInTransaction(this.client)) return await this.#send<Row>(query);
      const { sql, wraps } = withLocalSettings(query.text, this.#settings);
      const begun = await this.#send<Row>({ text: sql });
      return wraps ? await this.#sendAlone<Row>(query) : begun;
    } catch (cause) {
      throw this.explain(cause, stream);
    }
  }

  /** Ends the transaction that was begun for one statement. */
  async #sendAlone<Row extends QueryResultRow>(query: Query): Promise<QueryResult<Row>> {
    try {
      const result = await this.#send<Row>(query);
      await this.#send({ text: 'COMMIT' });
      return result;
    } catch (error) {
      await this.#send({ text: 'ROLLBACK' }).catch(() => undefined);
      throw error;
    }
  }

  async #send<Row extends QueryResultRow>(query: Query): Promise<QueryResult<Row>> {
    using _watch = new SilenceWatch(this.silenceLimitMs, (error) => socketOf(this.client).destroy(error));
    try {
      return await this.client.query<Row>(query);
    } catch (error) {
      // The driver rejects at the error, but learns how the transaction stands only from the ReadyForQuery behind it, perhaps later.
      if (this.isPooled) await this.client.query(';').catch(() => undefined);
      throw error;
    }
  }
}

type Query = { text: string; values?: unknown[]; rowMode?: 'array' };

/**
 * Opens a session on the first of the servers that answers and is of the wanted kind; `at` is the one that an earlier connection led to.
 * The driver is loaded here, so that `spec` need not wait for it.
 */
export async function connect(options: ConnectionOptions, at?: Endpoint): Promise<Connection> {
  return connectWith(settingsOf(options), at);
}

/** The same as a sender of the write-ahead log, which takes plain statements too, but none with values (manual, 53.4 Streaming Replication Protocol). */
export async function connectForLog(options: ConnectionOptions, at?: Endpoint): Promise<Connection> {
  return connectWith({ ...settingsOf(options), sendsLog: true }, at);
}

async function connectWith(settings: ConnectionSettings, at?: Endpoint): Promise<Connection> {
  if (at) return open({ settings, endpoint: at, wanted: 'any' });
  const faults: ConnectorError[] = [];
  for (const wanted of settings.targetSession === 'prefer-standby' ? ANY_STANDBY_FIRST : [settings.targetSession]) {
    for (const endpoint of settings.endpoints) {
      try {
        return await open({ settings, endpoint, wanted });
      } catch (thrown) {
        const error = asConnectorError(thrown);
        if (!TRY_NEXT.has(error.code)) throw error;
        faults.push(error);
      }
    }
  }
  throw noneUsable(settings, faults);
}

const ANY_STANDBY_FIRST: TargetSession[] = ['standby', 'any'];
/** As with libpq, a server that answers and refuses ends the search: the next one would only hide it. */
const TRY_NEXT = new Set<ErrorCode>(['source_unreachable', 'source_connection_lost']);

type Attempt = { settings: ConnectionSettings; endpoint: Endpoint; wanted: TargetSession };

async function open({ settings, endpoint, wanted }: Attempt): Promise<Connection> {
  const connection = new Connection(await openClient(settings, endpoint));
  try {
    const facts = await connection.begin();
    if (fits(facts, wanted)) return connection;
  } catch (cause) {
    await connection[Symbol.asyncDispose]();
    throw connection.explain(cause);
  }
  await connection[Symbol.asyncDispose]();
  throw wrongTarget(connection.target, wanted);
}

function fits({ isStandby, isReadOnly }: SessionFacts, wanted: TargetSession): boolean {
  switch (wanted) {
    case 'any':
    case 'prefer-standby':
      return true;
    case 'primary':
      return !isStandby;
    case 'standby':
      return isStandby;
    case 'read-write':
      return !isStandby && !isReadOnly;
    case 'read-only':
      return isStandby || isReadOnly;
    default:
      return wanted satisfies never;
  }
}

function wrongTarget({ host, port }: Target, wanted: TargetSession): ConnectorError {
  return new ConnectorError(
    'source_unreachable',
    `The server ${host}:${port} is not ${wanted}, which the target session asks for.`,
    {
      help: 'Name a server of that kind too, or change the option `targetSession` (`target_session_attrs` in a URI).',
    },
  );
}

function noneUsable({ endpoints }: ConnectionSettings, faults: ConnectorError[]): ConnectorError {
  const last = faults.at(-1);
  if (last && endpoints.length === 1) return last;
  const reasons = [...new Set(faults.map(({ message }) => message.replace(/\.$/, '')))];
  const message = `None of the ${endpoints.length} servers can be used: ${reasons.join('; ')}.`;
  return new ConnectorError('source_unreachable', message, { cause: last });
}

/** The process that the driver was told at log-in to be its own. */
const processOf = (client: Client) => (client as unknown as { processID: number | null }).processID;
const isInTransaction = (client: Client) => {
  const status = (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
  return status === 'T' || status === 'E';
};
