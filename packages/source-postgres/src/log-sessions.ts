import type { ConnectionOptions } from './connection-options.ts';
import { connect, connectForLog, type Connection } from './connection.ts';
import { type LogIdentity, parseTimelineHistory, type TimelineSwitch } from './position.ts';

const VERSION = `SELECT pg_catalog.current_setting('server_version_num')::int4 AS version`;

/** The two connections that a change log needs, to the same server: one for statements, one that can become a sender of the log. */
export class LogSessions {
  readonly #options: ConnectionOptions;
  #sql: Connection | undefined;
  #sender: Connection | undefined;
  #identity: LogIdentity | undefined;
  #history: TimelineSwitch[] | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  async sql(): Promise<Connection> {
    if (this.#sql?.isOpen) return this.#sql;
    this.#sql = await connect(this.#options);
    return this.#sql;
  }

  async sender(): Promise<Connection> {
    if (this.#sender?.isOpen) return this.#sender;
    this.#sender = await this.openSender();
    return this.#sender;
  }

  /** A further one, of the caller's own. */
  async openSender(): Promise<Connection> {
    const { endpoint } = await this.sql();
    return connectForLog(this.#options, endpoint);
  }

  async version(): Promise<number> {
    const [row] = await (await this.sql()).query<{ version: number }>(VERSION);
    return row?.version ?? 0;
  }

  /** Which log the server writes (manual, 53.4 Streaming Replication Protocol, IDENTIFY_SYSTEM). */
  async identify(): Promise<LogIdentity> {
    if (this.#identity) return this.#identity;
    const sender = await this.sender();
    const [row] = await sender.query<{ systemid: string; timeline: number | string }>('IDENTIFY_SYSTEM');
    if (!row) throw new Error('the server did not identify itself');
    this.#identity = { systemId: row.systemid, timeline: Number(row.timeline) };
    return this.#identity;
  }

  /** Where the earlier timelines of the server were left. */
  async history(): Promise<TimelineSwitch[]> {
    const { timeline } = await this.identify();
    if (timeline === 1) return [];
    // Asked once: later the sender is busy with the log.
    if (this.#history) return this.#history;
    const sender = await this.sender();
    const [row] = await sender.query<{ content: Buffer | string }>(`TIMELINE_HISTORY ${timeline}`);
    this.#history = parseTimelineHistory(String(row?.content ?? ''));
    return this.#history;
  }

  /** Closes the one that sends; the next one is another. */
  async dropSender(): Promise<void> {
    const sender = this.#sender;
    this.#sender = undefined;
    await sender?.[Symbol.asyncDispose]();
  }

  /** Closes both: after a fault nothing is known of them, and the next server may be another one. */
  async drop(): Promise<void> {
    const sql = this.#sql;
    this.#sql = undefined;
    this.#identity = undefined;
    this.#history = undefined;
    await Promise.all([sql?.[Symbol.asyncDispose](), this.dropSender()]);
  }

  /** An error of these connections as a ConnectorError. */
  explain(cause: unknown): unknown {
    return (this.#sql ?? this.#sender)?.explain(cause) ?? cause;
  }
}
