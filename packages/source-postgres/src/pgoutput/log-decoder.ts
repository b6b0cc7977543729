import { ConnectorError } from '@fjord/core';
import type { LogEvent } from '@fjord/replication';
import { type Lsn, type LogIdentity, orderKeyOf, positionAt } from '../position.ts';
import { formatTransactions } from '../seen-transactions.ts';
import type { MessageBuffer } from './message-buffer.ts';
import { isSameRelation, type LoggedRelation, readRelation } from './relation-message.ts';
import type { StreamChanges } from './stream-changes.ts';
import type { StreamedTransactions } from './streamed-transactions.ts';
import { Transaction } from './transaction.ts';

/** Types of messages of the log (manual, 53.9 Logical Replication Message Formats). */
export const BEGIN = 0x42;
const COMMIT = 0x43;
const RELATION = 0x52;
const INSERT = 0x49;
const UPDATE = 0x55;
const DELETE = 0x44;
const TRUNCATE = 0x54;
const STREAM_START = 0x53;
const STREAM_STOP = 0x45;
/** Of a transaction that came in blocks while it was under way. */
export const STREAM_COMMIT = 0x63;
const STREAM_ABORT = 0x41;
/** Messages that are kept of a block; others say nothing of rows. */
const KEPT = new Set([INSERT, UPDATE, DELETE, TRUNCATE, RELATION]);

/** Why reading should stop: a relation must be looked up, events are to be taken, a transaction has ended, one that was kept must be replayed. */
export type Stop = 'relation' | 'full' | 'commit' | 'replay';

export type LogDecoderOptions = {
  identity: LogIdentity;
  /** Whether the changes of a relation are wanted. */
  isWanted(namespace: string, name: string): boolean;
  /** About how many bytes of the log may wait in batches. */
  batchBytes: number;
  streamed: StreamedTransactions;
};

/** What follows a relation, once it has been looked up. */
export type LookedUp = { changes: StreamChanges; schema: LogEvent | undefined };

/** Turns messages of the log into events: changes gather in batches, of several small transactions too. */
export class LogDecoder {
  /** A relation that has to be looked up before anything more is read. */
  wanted: LoggedRelation | undefined;
  /** Where the last transaction ended of which everything is said; 0 before the first. */
  passed: Lsn = 0n;
  /** When the last transaction was committed, by the server's clock. */
  committedMs = 0;
  readonly #options: LogDecoderOptions;
  readonly #known = new Map<number, LoggedRelation>();
  readonly #changes = new Map<number, StreamChanges>();
  readonly #touched = new Set<StreamChanges>();
  #events: LogEvent[] = [];
  #transaction: Transaction | undefined;
  #notedBytes = 0;
  #commits: { end: Lsn; xids: number[] } | undefined;
  #hasEvents = false;
  #replayEnd: Lsn = 0n;
  #lastRelation = 0;
  #lastChanges: StreamChanges | undefined;

  constructor(options: LogDecoderOptions) {
    this.#options = options;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** How many bytes of messages wait in batches. */
  get notedBytes(): number {
    return this.#notedBytes;
  }

  /** Where the last of the transactions ended whose commit has not been said. */
  get pendingCommit(): Lsn | undefined {
    return this.#commits?.end;
  }

  /** Reads one message, from `at` to `end` of the buffer. */
  read(buffer: MessageBuffer, at: number, end: number): Stop | undefined {
    const { streamed } = this.#options;
    const type = buffer.bytes[at]!;
    if (streamed.isInBlock) {
      if (KEPT.has(type)) streamed.keep(buffer, at, end);
      else if (type === STREAM_STOP) streamed.endBlock();
      return undefined;
    }
    switch (type) {
      case INSERT:
        return this.#readRow(buffer, at, end);
      case UPDATE:
        return this.#readRow(buffer, at, end);
      case DELETE:
        return this.#readRow(buffer, at, end);
      case BEGIN:
        this.#begin(buffer, at);
        return undefined;
      case COMMIT:
        this.#commit(buffer.view.getBigInt64(at + 10));
        return 'commit';
      case RELATION:
        return this.#meet(readRelation(buffer.bytes, at + 1));
      case TRUNCATE:
        this.#truncate(buffer, at);
        return undefined;
      case STREAM_START:
        streamed.beginBlock(buffer.view.getUint32(at + 1));
        return undefined;
      case STREAM_ABORT:
        streamed.abort(buffer.view.getUint32(at + 1), buffer.view.getUint32(at + 5));
        return undefined;
      case STREAM_COMMIT:
        this.#beginReplay(buffer, at);
        return 'replay';
      default:
        // Type, Origin and Message say nothing of rows.
        return undefined;
    }
  }

  /** The messages of the transaction that is to be replayed, to be read one by one; then it has ended. */
  *replay(): Generator<{ buffer: MessageBuffer; at: number; end: number }> {
    const { xid } = this.#current();
    yield* this.#options.streamed.replay(xid, () => this.decodeRuns());
    this.#commit(this.#replayEnd);
  }

  /** What is to be done with the wanted relation's changes from here on. */
  define({ changes, schema }: LookedUp): void {
    const relation = this.wanted;
    if (!relation) throw new Error('no relation was asked for');
    this.wanted = undefined;
    this.#known.set(relation.oid, relation);
    this.#flush(this.#changes.get(relation.oid));
    this.#changes.set(relation.oid, changes);
    this.#lastRelation = 0;
    if (schema) this.#events.push(schema);
  }

  /** Decodes what was noted, so that bytes may move. */
  decodeRuns(): void {
    for (const changes of this.#touched) changes.decodeRun();
  }

  /** Takes all that has gathered, with the commit of what has ended. */
  take(): LogEvent[] {
    for (const changes of [...this.#touched]) this.#flush(changes);
    this.#notedBytes = 0;
    if (this.#commits && !this.#transaction) this.#sayCommit();
    return this.#events.splice(0);
  }

  #begin({ view }: MessageBuffer, at: number): void {
    this.#transaction = new Transaction({
      lsn: view.getBigInt64(at + 1),
      micros: view.getBigInt64(at + 9),
      xid: view.getUint32(at + 17),
      timeline: this.#options.identity.timeline,
    });
  }

  #beginReplay({ view }: MessageBuffer, at: number): void {
    this.#transaction = new Transaction({
      xid: view.getUint32(at + 1),
      lsn: view.getBigInt64(at + 6),
      micros: view.getBigInt64(at + 22),
      timeline: this.#options.identity.timeline,
    });
    this.#replayEnd = view.getBigInt64(at + 14);
  }

  #commit(end: Lsn): void {
    const { xid, committedMs } = this.#current();
    this.#transaction = undefined;
    this.committedMs = committedMs;
    if (!this.#hasEvents) {
      // Nobody needs to hear of a transaction that touched nothing wanted, but for how far it is.
      if (this.#commits) this.#commits.end = end;
      else this.passed = end;
      return;
    }
    this.#hasEvents = false;
    this.#commits ??= { end, xids: [] };
    this.#commits.end = end;
    this.#commits.xids.push(xid);
  }

  #sayCommit(): void {
    const { end, xids } = this.#commits!;
    this.#commits = undefined;
    this.passed = end;
    const position = positionAt(end, this.#options.identity);
    const transaction = formatTransactions({ end, xids });
    this.#events.push({ event: 'commit', position, orderKey: orderKeyOf(position), transaction });
  }

  #readRow(buffer: MessageBuffer, at: number, end: number): Stop | undefined {
    const transaction = this.#current();
    const changes = this.#changesOf(buffer.view.getUint32(at + 1));
    if (!changes) {
      transaction.next();
      return undefined;
    }
    if (changes.rows === 0) this.#touched.add(changes);
    this.#hasEvents = true;
    const tuple = at + 5;
    switch (buffer.bytes[at]!) {
      case INSERT:
        changes.insert(buffer, tuple, transaction);
        break;
      case UPDATE:
        changes.update(buffer, tuple, transaction);
        break;
      default:
        changes.delete(buffer, tuple, transaction);
    }
    this.#notedBytes += end - at;
    return this.#notedBytes >= this.#options.batchBytes || changes.isFull ? 'full' : undefined;
  }

  #changesOf(oid: number): StreamChanges | undefined {
    if (oid !== this.#lastRelation) {
      if (!this.#known.has(oid)) throw new Error(`the log has a row of relation ${oid}, of which it has said nothing`);
      this.#lastRelation = oid;
      this.#lastChanges = this.#changes.get(oid);
    }
    return this.#lastChanges;
  }

  #meet(relation: LoggedRelation): Stop | undefined {
    const known = this.#known.get(relation.oid);
    if (known && isSameRelation(known, relation)) return undefined;
    if (this.#options.isWanted(relation.namespace, relation.name)) {
      this.wanted = relation;
      return 'relation';
    }
    this.#flush(this.#changes.get(relation.oid));
    this.#changes.delete(relation.oid);
    this.#lastRelation = 0;
    this.#known.set(relation.oid, relation);
    return undefined;
  }

  #truncate({ view }: MessageBuffer, at: number): void {
    const count = view.getInt32(at + 1);
    const transaction = this.#current();
    for (let index = 0; index < count; index++) {
      const position = transaction.nextKey();
      const changes = this.#changesOf(view.getUint32(at + 6 + 4 * index));
      if (!changes) continue;
      this.#hasEvents = true;
      this.#flush(changes);
      this.#events.push({ event: 'truncate', stream: changes.stream, position });
    }
  }

  #flush(changes: StreamChanges | undefined): void {
    if (!changes) return;
    this.#touched.delete(changes);
    const batch = changes.finish();
    if (batch) this.#events.push({ event: 'changes', stream: changes.stream, ...batch });
  }

  #current(): Transaction {
    if (this.#transaction) return this.#transaction;
    throw new ConnectorError('internal_error', 'The log has a change outside of a transaction.');
  }
}
