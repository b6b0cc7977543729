import type { LogEvent } from '@fjord/replication';
import { BEGIN, type LogDecoder, type LookedUp, STREAM_COMMIT } from './pgoutput/log-decoder.ts';
import type { LoggedRelation } from './pgoutput/relation-message.ts';
import { type LogIdentity, type Lsn, orderKeyOf, positionAt } from './position.ts';
import type { ReplicationLink } from './replication-link.ts';

/** Contents of CopyData (manual, 53.4 Streaming Replication Protocol): a piece of the log, behind a header, or a keep-alive. */
const COPY_DATA = 0x64;
const LOG_DATA = 0x77;
const LOG_HEADER_BYTES = 25;
const KEEP_ALIVE = 0x6b;

/** Small transactions share batches and a commit for so long, or until they are so large. */
const COALESCE_MS = 50;
const COALESCE_BYTES = 1024 * 1024;
/** How often an idle server is asked how far it is, and how often at most that is said. */
const HEARTBEAT_MS = 1000;
/** The same while an end is waited for. */
const END_POLL_MS = 20;

export type LogFollowerParts = {
  link: ReplicationLink;
  decoder: LogDecoder;
  identity: LogIdentity;
  /** Finds what a relation's columns become. */
  lookUp(relation: LoggedRelation): Promise<LookedUp>;
  /** Told of every place up to which the log has come. */
  onReceived(lsn: Lsn): void;
  /** Told when each transaction was committed, by the server's clock, once it has come whole. */
  onTransaction(committedMs: number): void;
  until: Lsn | undefined;
  signal: AbortSignal;
};

type Pause = 'starved' | 'relation' | 'full' | 'due' | 'replay' | 'reached';

/** Reads the log from a link: decodes, gathers small transactions, says how far the log is when nothing happens. */
export class LogFollower {
  readonly #parts: LogFollowerParts;
  /** How far the server says that its log is read; all up to there has come. */
  #walEnd: Lsn = 0n;
  #saidEnd: Lsn = 0n;
  #saidAt = 0;
  #pendingSince = 0;

  constructor(parts: LogFollowerParts) {
    this.#parts = parts;
  }

  /** Gives events until the end that was asked for is reached, or the signal says so. */
  async *events(): AsyncGenerator<LogEvent> {
    const { link, signal } = this.#parts;
    const wake = () => link.wake();
    signal.addEventListener('abort', wake);
    try {
      yield* this.#follow();
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async *#follow(): AsyncGenerator<LogEvent> {
    const { decoder, lookUp, signal } = this.#parts;
    while (!signal.aborted) {
      const pause = this.#read();
      // Bytes may move as soon as others come.
      decoder.decodeRuns();
      switch (pause) {
        case 'relation':
          decoder.define(await lookUp(decoder.wanted!));
          break;
        case 'full':
          yield* decoder.take();
          break;
        case 'due':
          yield* this.#takeCommit();
          break;
        case 'replay':
          yield* this.#replay();
          if (signal.aborted || this.#noteCommit() !== 'reached') break;
          yield* this.#end();
          return;
        case 'reached':
          yield* this.#end();
          return;
        case 'starved':
          yield* this.#wait();
          break;
        default:
          pause satisfies never;
      }
    }
  }

  /** Reads the messages that have come. */
  #read(): Pause {
    const { buffer } = this.#parts.link;
    while (buffer.length >= 5) {
      const { start, bytes, view } = buffer;
      const next = start + 1 + view.getInt32(start + 1);
      if (next > buffer.end) break;
      const at = start + 5;
      if (bytes[start] === COPY_DATA && bytes[at] === LOG_DATA) {
        if (this.#isBeyondEnd(at + LOG_HEADER_BYTES)) return 'reached';
        buffer.start = next;
        const pause = this.#readLog(at + LOG_HEADER_BYTES, next);
        if (pause) return pause;
      } else {
        buffer.start = next;
        if (bytes[start] !== COPY_DATA) this.#parts.link.receive(bytes[start] ?? 0, bytes.subarray(at, next));
        else if (bytes[at] === KEEP_ALIVE && this.#keepAlive(at)) return 'reached';
      }
    }
    return 'starved';
  }

  /** Transactions come in the order of their commits: one that was committed beyond the end is the first of all that are. */
  #isBeyondEnd(at: number): boolean {
    const { link, until } = this.#parts;
    if (until === undefined) return false;
    const { bytes, view } = link.buffer;
    const commitAt = bytes[at] === BEGIN ? at + 1 : bytes[at] === STREAM_COMMIT ? at + 6 : undefined;
    if (commitAt === undefined || view.getBigInt64(commitAt) < until) return false;
    this.#walEnd = until;
    return true;
  }

  #readLog(at: number, end: number): Pause | undefined {
    const { link, decoder } = this.#parts;
    const stop = decoder.read(link.buffer, at, end);
    return stop === 'commit' ? this.#noteCommit() : stop;
  }

  /** Reads what was kept of a transaction while it was under way. */
  async *#replay(): AsyncGenerator<LogEvent> {
    const { decoder, lookUp, signal } = this.#parts;
    for (const { buffer, at, end } of decoder.replay()) {
      const stop = decoder.read(buffer, at, end);
      if (stop === 'relation') decoder.define(await lookUp(decoder.wanted!));
      if (stop === 'full') yield* decoder.take();
      if (signal.aborted) return;
    }
  }

  #noteCommit(): Pause | undefined {
    const { decoder, until, onReceived, onTransaction } = this.#parts;
    const passed = decoder.pendingCommit ?? decoder.passed;
    onReceived(passed);
    onTransaction(decoder.committedMs);
    if (until !== undefined && passed >= until) return 'reached';
    if (decoder.pendingCommit === undefined) return undefined;
    const now = Date.now();
    this.#pendingSince ||= now;
    return decoder.notedBytes >= COALESCE_BYTES || now - this.#pendingSince >= COALESCE_MS ? 'due' : undefined;
  }

  /** Whether it says that the end is reached. */
  #keepAlive(at: number): boolean {
    const { link, until, onReceived } = this.#parts;
    const { bytes, view } = link.buffer;
    this.#walEnd = view.getBigInt64(at + 1);
    onReceived(this.#walEnd);
    if (bytes[at + 17] !== 0) link.sendStatus('no reply');
    return until !== undefined && this.#walEnd >= until;
  }

  /** Nothing more is there to be read: what has gathered is given when it is time, and the server is asked how far it is. */
  async *#wait(): AsyncGenerator<LogEvent> {
    const { link, decoder, until } = this.#parts;
    if (decoder.pendingCommit !== undefined && !decoder.isInTransaction) {
      const left = this.#pendingSince + COALESCE_MS - Date.now();
      if (left > 0) await link.more(left);
      else yield* this.#takeCommit();
      return;
    }
    yield* this.#heartbeat('when due');
    const waitMs = until === undefined ? HEARTBEAT_MS : END_POLL_MS;
    if (!(await link.more(waitMs))) link.sendStatus('for a reply');
  }

  *#end(): Generator<LogEvent> {
    yield* this.#takeCommit();
    yield* this.#heartbeat('now');
  }

  *#takeCommit(): Generator<LogEvent> {
    this.#pendingSince = 0;
    yield* this.#parts.decoder.take();
  }

  *#heartbeat(when: 'now' | 'when due'): Generator<LogEvent> {
    const { decoder, identity } = this.#parts;
    // In the middle of a transaction a place would seem to cover the changes that were given already.
    if (decoder.isInTransaction || decoder.pendingCommit !== undefined) return;
    const end = decoder.passed > this.#walEnd ? decoder.passed : this.#walEnd;
    const isDue = when === 'now' || Date.now() - this.#saidAt >= HEARTBEAT_MS;
    if (!isDue || end <= this.#saidEnd) return;
    this.#saidEnd = end;
    this.#saidAt = Date.now();
    const position = positionAt(end, identity);
    yield { event: 'heartbeat', position, orderKey: orderKeyOf(position) };
  }
}
