import { randomBytes } from 'node:crypto';
import { asConnectorError, type ConnectorError, type Problem, type SelectedStream, streamId } from '@fjord/core';
import type { ChangeLog, FollowRequest, LogEvent, LogLag, PlacedSnapshot, RemovedLog } from '@fjord/replication';
import { Arrivals } from './arrivals.ts';
import type { Config } from './config.ts';
import { sqlState } from './driver-errors.ts';
import { keepSnapshot } from './held-snapshot.ts';
import { LogFollower } from './log-follower.ts';
import { chooseFormat, type LogFormat } from './log-format.ts';
import { newestLsn } from './log-head.ts';
import { findLost, positionOf, requirePlace } from './log-place.ts';
import { LogSessions } from './log-sessions.ts';
import { type FollowedStream, lookUpRelation } from './logged-stream.ts';
import { LogDecoder } from './pgoutput/log-decoder.ts';
import { StreamedTransactions } from './pgoutput/streamed-transactions.ts';
import { formatLsn, type LogIdentity, type Lsn, orderKeyOf, parseLsn, type Position, positionAt } from './position.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import { ReplicationLink } from './replication-link.ts';
import { createSlot, inUse, nameFor } from './slot.ts';
import { SlotKeeper } from './slot-keeper.ts';

/** How often the server hears of us, if it does not want to more often (a third of wal_sender_timeout). */
const STATUS_MS = 5000;
const SENDER_TIMEOUT = `SELECT s.setting::int8::float8 AS ms FROM pg_catalog.pg_settings AS s WHERE s.name = 'wal_sender_timeout'`;
/** The first version that sends large transactions while they are under way (manual, 53.5 Logical Streaming Replication Protocol). */
const STREAMING_VERSION = 140_000;
/** How often the publication is looked at while it is followed. */
const PUBLICATION_CHECK_MS = 5000;
/** SQLSTATE of a slot from which somebody else reads (manual, Appendix A). */
const OBJECT_IN_USE = '55006';

/** Moves a slot from which nobody reads. */
const ADVANCE = `
  SELECT pg_catalog.pg_replication_slot_advance(s.slot_name, $2::pg_catalog.pg_lsn) FROM pg_catalog.pg_replication_slots AS s
  WHERE s.slot_name = $1 AND NOT s.active AND s.confirmed_flush_lsn < $2::pg_catalog.pg_lsn`;
const BEHIND = `
  SELECT pg_catalog.pg_wal_lsn_diff(
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
           s.confirmed_flush_lsn)::float8 AS bytes
  FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = $1`;

/** The write-ahead log of a PostgreSQL server as one pipeline follows it, through a slot and a publication of its own. */
export class PostgresChangeLog implements ChangeLog {
  readonly #config: Config;
  readonly #slot: string;
  readonly #publication: string;
  readonly #sessions: LogSessions;
  readonly #arrivals = new Arrivals();
  readonly #keeper: SlotKeeper;
  #link: ReplicationLink | undefined;
  #received: Lsn = 0n;
  #flushed: Lsn = 0n;
  /** A column has come since that has no binary form that we read. */
  #needsText = false;

  constructor(config: Config, pipeline: string) {
    this.#config = config;
    this.#slot = config.slot ?? nameFor(pipeline);
    this.#publication = config.publication ?? nameFor(pipeline);
    this.#sessions = new LogSessions(config);
    this.#keeper = new SlotKeeper(this.#sessions, {
      slot: this.#slot,
      publication: this.#publication,
      isOurs: config.publication === undefined,
    });
  }

  async findProblems(streams: SelectedStream[]): Promise<Problem[]> {
    return this.#guard(() => this.#keeper.findProblems(streams));
  }

  async prepare(streams: SelectedStream[]): Promise<Position> {
    return this.#guard(() => this.#keeper.prepare(streams));
  }

  async holdSnapshot(): Promise<PlacedSnapshot> {
    return this.#guard(async () => {
      const identity = await this.#sessions.identify();
      const version = await this.#sessions.version();
      const connection = await this.#sessions.openSender();
      try {
        const name = `${this.#slot.slice(0, 40)}_${randomBytes(6).toString('hex')}`;
        const slot = await createSlot(connection, { name, version, kind: 'temporary, with a snapshot' });
        if (slot.snapshot === undefined) throw new Error('the server exported no snapshot');
        const position = positionAt(parseLsn(slot.consistentPoint), identity);
        return { ...keepSnapshot(connection, slot.snapshot), position };
      } catch (cause) {
        await connection[Symbol.asyncDispose]();
        throw connection.explain(cause);
      }
    });
  }

  async findLost(positions: ReadonlyMap<string, unknown>): Promise<ReadonlyMap<string, ConnectorError>> {
    return this.#guard(() => findLost(this.#sessions, this.#keeper.history, positions));
  }

  async head(): Promise<Position> {
    return this.#guard(async () =>
      positionAt(await newestLsn(await this.#sessions.sql()), await this.#sessions.identify()),
    );
  }

  orderKey(position: unknown): string {
    return orderKeyOf(positionOf(position));
  }

  async *follow(request: FollowRequest): AsyncGenerator<LogEvent> {
    const { signal, until } = request;
    const from = positionOf(request.from);
    const streamed = new StreamedTransactions(request.spillFolder);
    try {
      const sql = await this.#sessions.sql();
      const identity = await this.#sessions.identify();
      const version = await this.#sessions.version();
      const format = this.#needsText ? 'text' : await chooseFormat(sql, { ...request, version, types: this.#config });
      const link = await this.#start(from, { format, version });
      const follower = new LogFollower({
        ...this.#decoding(request, format),
        ...{ link, identity, signal },
        decoder: this.#makeDecoder(request, { identity, streamed }),
        until: until === undefined ? undefined : parseLsn(positionOf(until).lsn),
        onReceived: (lsn) => {
          if (lsn <= this.#received) return;
          this.#received = lsn;
          this.#arrivals.note(lsn, Date.now());
        },
        onTransaction: (committedMs) => this.#arrivals.noteTransaction(committedMs, Date.now()),
      });
      yield* this.#whilePublished(request, follower.events());
    } catch (cause) {
      const error = asConnectorError(this.#sessions.explain(cause));
      this.#needsText ||= error.code === 'plan_outdated';
      if (error.code === 'source_busy') this.#keeper.noteRead();
      this.#link = undefined;
      await this.#sessions.drop();
      throw error;
    } finally {
      streamed.clear();
    }
  }

  async acknowledge(position: unknown): Promise<void> {
    const lsn = parseLsn(positionOf(position).lsn);
    if (lsn <= this.#flushed) return;
    this.#flushed = lsn;
    if (this.#link?.isOpen) return this.#link.sendStatus('no reply');
    await this.#guard(async () => (await this.#sessions.sql()).query(ADVANCE, [this.#slot, formatLsn(lsn)]));
  }

  async measureLag(): Promise<LogLag> {
    return this.#guard(async () => {
      const [row] = await (await this.#sessions.sql()).query<{ bytes: number }>(BEHIND, [this.#slot]);
      return {
        bytes: Math.max(0, row?.bytes ?? 0),
        seconds: this.#arrivals.age(this.#flushed, Date.now()),
        arrivalSeconds: this.#arrivals.takeSlowest(),
      };
    });
  }

  async remove(): Promise<RemovedLog> {
    await this.#endLink();
    return this.#guard(() => this.#keeper.remove());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endLink();
    await this.#sessions.drop();
  }

  async *#whilePublished({ streams }: FollowRequest, events: AsyncIterable<LogEvent>): AsyncGenerator<LogEvent> {
    let lookedAt = Date.now();
    for await (const event of events) {
      yield event;
      if (Date.now() - lookedAt < PUBLICATION_CHECK_MS) continue;
      await this.#keeper.requirePublished(streams);
      lookedAt = Date.now();
    }
  }

  #makeDecoder(
    { streams, batchBytes }: FollowRequest,
    parts: { identity: LogIdentity; streamed: StreamedTransactions },
  ): LogDecoder {
    const wanted = new Set(streams.map(({ stream }) => stream));
    return new LogDecoder({ ...parts, batchBytes, isWanted: (...name) => wanted.has(streamId(...name)) });
  }

  #decoding({ streams }: FollowRequest, format: LogFormat) {
    const followed = new Map<string, FollowedStream>(
      streams.map((selected) => [selected.stream, { selected, said: undefined }]),
    );
    return {
      lookUp: async (relation: Parameters<typeof lookUpRelation>[1]) => {
        const stream = followed.get(streamId(relation.namespace, relation.name));
        if (!stream) throw new Error('a relation was looked up that nobody wants');
        return lookUpRelation(await this.#sessions.sql(), relation, stream, { config: this.#config, format });
      },
    };
  }

  async #start(from: Position, { format, version }: { format: LogFormat; version: number }): Promise<ReplicationLink> {
    await this.#endLink();
    const slot = await requirePlace(this.#sessions, this.#keeper.history, from);
    this.#received = parseLsn(from.lsn);
    this.#flushed = parseLsn(slot.confirmed_flush_lsn ?? '0/0');
    const options = [
      ...(version >= STREAMING_VERSION ? [`proto_version '2'`, `streaming 'on'`] : [`proto_version '1'`]),
      `publication_names ${quoteLiteral(quoteIdentifier(this.#publication))}`,
      ...(format === 'binary' ? [`binary 'true'`] : []),
    ];
    const statement = `START_REPLICATION SLOT ${quoteIdentifier(this.#slot)} LOGICAL ${from.lsn} (${options.join(', ')})`;
    const sender = await this.#sessions.sender();
    // As text money is printed with two digits after the point, whatever the role's locale.
    if (format === 'text') await sender.pin({ lc_monetary: 'C' });
    const { client } = sender;
    const [timeout] = await sender.query<{ ms: number }>(SENDER_TIMEOUT);
    this.#link = await ReplicationLink.start(client, statement, {
      standing: () => ({ received: this.#received, flushed: this.#flushed }),
      statusMs: Math.min(STATUS_MS, (timeout?.ms || Number.POSITIVE_INFINITY) / 3),
    }).catch((cause: unknown) => {
      throw sqlState(cause) === OBJECT_IN_USE ? inUse(slot, cause) : cause;
    });
    this.#keeper.noteRead();
    return this.#link;
  }

  /** After a fault nothing is known of connections. */
  async #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      const error = asConnectorError(this.#sessions.explain(cause));
      if (!this.#link) await this.#sessions.drop();
      throw error;
    }
  }

  async #endLink(): Promise<void> {
    const link = this.#link;
    if (!link) return;
    this.#link = undefined;
    await link.end();
    await this.#sessions.dropSender();
  }
}
