import { asConnectorError, ConnectorError, type RunContext, type SourceMessage } from '@fjord/core';
import type { LogEvent, LogPosition, OrderKey, PlacedSnapshot } from '../change-log.ts';
import type { HeldSnapshot } from '../database.ts';
import type { StreamBackfill } from '../stream-backfill.ts';
import { type ChangeBatch, changesAfter } from './change-batch.ts';
import { completeRows, type ReadByKey } from './complete-rows.ts';
import type { FollowedStream, Place } from './followed-stream.ts';
import type { HoldRoom } from './held-changes.ts';
import type { LoadGate } from './load-gate.ts';
import type { Phase } from './phase.ts';
import { VisibleTransactions } from './visible-transactions.ts';

/** Changes wait for a stream's chunks at most about this long, or until they are this many: then no more chunks begin until they are given. */
const MAX_ROUND_MS = 15_000;
const MAX_ROUND_BYTES = 32 * 1024 * 1024;

export type FlowParts = {
  streams: ReadonlyMap<string, FollowedStream>;
  /** Sends messages one behind the other; resolves when there is room for more. */
  put(messages: SourceMessage[]): Promise<void>;
  room: HoldRoom;
  run: number;
  /** Where the log is followed from. */
  place: Place;
  /** The shared state for a place of the log. */
  sharedState(position: LogPosition): unknown;
  /** The newest place of the log. */
  head(): Promise<OrderKey>;
  /** Rows as they are now at the source. */
  readByKey: ReadByKey;
  /** A consistent point and its place. */
  holdSnapshot(): Promise<{ snapshot: PlacedSnapshot; orderKey: OrderKey }>;
};

/**
 * Where chunks and the change log of each stream meet: changes of a stream whose chunks are in flight wait, all others go on at once; states
 * never cover what waits. All that it sends it sends in one order, one call after the other.
 */
export class ChangeFlow implements LoadGate {
  readonly transactions = new VisibleTransactions();
  readonly #parts: FlowParts;
  readonly #context: RunContext;
  #turn: Promise<unknown> = Promise.resolve();
  #opened = Promise.withResolvers<void>();
  #place: Place;
  /** The shared place that was said last. */
  #said: string | undefined;

  constructor(parts: FlowParts, context: RunContext) {
    this.#parts = parts;
    this.#context = context;
    this.#place = parts.place;
  }

  /** Every transaction before this place was taken whole: here the log goes on after a fault. */
  get place(): Place {
    return this.#place;
  }

  /** Whether chunks are still to be read. */
  get isLoading(): boolean {
    return this.streamsIn('waiting', 'loading').length > 0;
  }

  /** What every run says first of the streams that follow. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      for (const stream of this.#parts.streams.values())
        if (stream.phase === 'following') await this.#sayFollowing(stream);
      await this.#sayShared();
    });
  }

  /** Waits while what is held is as much as may be, if chunks will end that. */
  async untilRoom(): Promise<void> {
    const isHeldByPoint = () => this.streamsIn('loading').some(({ beside }) => !beside);
    while (this.#parts.room.isFull && isHeldByPoint()) await this.#opened.promise;
  }

  /** Takes the next event of the log. */
  take(event: LogEvent): Promise<void> {
    return this.#inTurn(() => this.#take(event));
  }

  /** A wait for the time when chunks of the stream may begin again; undefined while they may. */
  closedUntil({ selected }: StreamBackfill): Promise<void> | undefined {
    return this.#streamOf(selected.stream).isClosed ? this.#opened.promise : undefined;
  }

  /** The stream's chunks begin: from here on its changes wait for them. */
  loadBegun(backfill: StreamBackfill): void {
    const stream = this.#streamOf(backfill.selected.stream);
    stream.backfill = backfill;
    if (stream.phase === 'waiting') {
      // What waits are the first changes of a transaction under way; all before are in the chunks to come.
      stream.position = this.#place.position;
      stream.step('begin');
    }
    backfill.logPosition = stream.position;
  }

  chunkBegun({ selected }: StreamBackfill): void {
    this.#streamOf(selected.stream).chunksInFlight += 1;
  }

  chunkEnded(backfill: StreamBackfill): Promise<void> {
    this.#streamOf(backfill.selected.stream).chunksInFlight -= 1;
    return this.loadEnded(backfill);
  }

  /** Gives what waited for the chunks that are out, and goes on to the handover after the last one. */
  loadEnded(backfill: StreamBackfill): Promise<void> {
    return this.#inTurn(async () => {
      const stream = this.#streamOf(backfill.selected.stream);
      if (stream.chunksInFlight > 0 || !['waiting', 'loading'].includes(stream.phase)) return;
      if (backfill.hasFailed) await this.#giveUp(stream);
      else if (backfill.hasEnded) await this.#endLoad(stream, backfill);
      else if (stream.beside) await this.#release(stream);
    });
  }

  /** What its table holds goes, where nothing is staged beside it. */
  startedOver({ selected }: StreamBackfill): Promise<SourceMessage[]> {
    const { beside, phase } = this.#streamOf(selected.stream);
    if (!beside || phase === 'waiting') return Promise.resolve([]);
    return Promise.resolve([{ type: 'TRUNCATE', stream: selected.stream, position: this.#place.orderKey }]);
  }

  async holdSnapshot({ selected }: StreamBackfill): Promise<HeldSnapshot> {
    const { snapshot, orderKey } = await this.#parts.holdSnapshot();
    this.#streamOf(selected.stream).moveTo({ position: snapshot.position, orderKey });
    return snapshot;
  }

  /** The streams in any of the phases. */
  streamsIn(...phases: Phase[]): FollowedStream[] {
    return [...this.#parts.streams.values()].filter(({ phase }) => phases.includes(phase));
  }

  /** Says the shared place, if it moved. */
  sayShared(): Promise<void> {
    return this.#inTurn(() => this.#sayShared());
  }

  /**
   * Gives rows as they are at a point beyond all that was given. What the log says until there comes again on top of them, so that until
   * there no insert may be taken for a new row (rule 5).
   */
  repair(name: string, { batch, upTo }: { batch: ChangeBatch; upTo: OrderKey }): Promise<void> {
    return this.#inTurn(async () => {
      const stream = this.#streamOf(name);
      await this.#shape(stream, batch);
      if (stream.phase !== 'following') return;
      stream.handover = upTo;
      stream.position = this.#place.position;
      await this.#sayFollowing(stream);
      await this.#parts.put(stream.state(this.#parts.run));
      await this.#sayShared();
    });
  }

  async #take(event: LogEvent): Promise<void> {
    if (event.event === 'commit') return this.#commit(event);
    if (event.event === 'heartbeat') return this.#moveTo(event);
    const stream = this.#parts.streams.get(event.stream);
    if (!stream || stream.changesAre === 'drop') return;
    switch (event.event) {
      case 'schema':
        return this.#give(stream, stream.takeSchema(event.columns, event.primaryKey));
      case 'changes': {
        const fresh = changesAfter(event, stream.reached);
        if (!fresh) return;
        stream.reached = fresh.last;
        return this.#shape(stream, fresh);
      }
      case 'truncate':
        if (event.position <= stream.reached) return;
        stream.reached = event.position;
        return this.#give(stream, [{ type: 'TRUNCATE', stream: event.stream, position: event.position }]);
      case 'dropped':
        return this.#drop(stream, event.position);
      default:
        event satisfies never;
    }
  }

  /** Completes, filters and transforms changes. What cannot be done concerns one stream: it is given up, the others go on. */
  async #shape(stream: FollowedStream, batch: ChangeBatch): Promise<void> {
    const { selected, logColumns: columns } = stream;
    try {
      const completed = stream.mayMissRows
        ? await completeRows(batch, { selected, columns }, this.#parts.readByKey)
        : undefined;
      const whole = completed ?? batch;
      if (whole.rows === 0) return;
      for (const shaped of stream.shaper?.(whole, columns) ?? [whole]) await this.#giveChanges(stream, shaped);
    } catch (thrown) {
      const error = asConnectorError(thrown);
      if (error.stream !== selected.stream) throw error;
      this.#context.report(error);
      await this.#giveUp(stream);
      await this.#parts.put([{ type: 'STATUS', stream: selected.stream, status: 'INCOMPLETE', reason: error.message }]);
    }
  }

  #giveChanges(stream: FollowedStream, { rows, body }: { rows: number; body: Uint8Array[] }): Promise<void> {
    const { stream: name } = stream.selected;
    stream.rows += rows;
    for (const { byteLength } of body) stream.bytes += byteLength;
    const first = stream.unsentSchema ? [stream.unsentSchema] : [];
    stream.unsentSchema = undefined;
    return this.#give(stream, [
      ...first,
      { type: 'BATCH', stream: name, kind: 'changes', schema: stream.schemaVersion, rows, body },
    ]);
  }

  async #give(stream: FollowedStream, messages: SourceMessage[]): Promise<void> {
    if (messages.length === 0) return;
    if (stream.changesAre === 'pass') {
      stream.isTouched = true;
      await this.#parts.put(messages);
      return;
    }
    stream.heldSince ??= performance.now();
    stream.pinnedAt ??= this.#place;
    for (const message of messages) await stream.held.add(message);
  }

  async #drop(stream: FollowedStream, position: OrderKey): Promise<void> {
    const { stream: name } = stream.selected;
    this.#context.log('warn', 'the table was dropped in the source, its copy is kept', { stream: name });
    await stream.held.forget();
    stream.pinnedAt = undefined;
    stream.isTouched = true;
    await this.#parts.put([{ type: 'DROPPED', stream: name, position }, ...stream.state(this.#parts.run)]);
    stream.step('drop');
  }

  async #commit(event: Extract<LogEvent, { event: 'commit' }>): Promise<void> {
    if (this.isLoading) this.transactions.add(event.transaction);
    for (const stream of this.#parts.streams.values()) {
      if (stream.phase === 'waiting') await this.#forget(stream);
      else if (stream.phase === 'loading') await this.#coverHeld(stream, event);
    }
    await this.#moveTo(event);
  }

  /** A transaction is over of which a stream has read no chunk yet: those to come will hold it. */
  async #forget(stream: FollowedStream): Promise<void> {
    await stream.held.forget();
    if (stream.schemaVersion > 1) stream.unsentSchema = stream.schemaMessage;
    stream.pinnedAt = undefined;
    stream.heldSince = undefined;
  }

  async #coverHeld(stream: FollowedStream, place: Place): Promise<void> {
    await stream.held.cover(place.position);
    if (!stream.beside || !stream.held.hasCovered) return;
    if (stream.chunksInFlight === 0) return this.#release(stream, place);
    const waitedMs = performance.now() - (stream.heldSince ?? performance.now());
    if (waitedMs >= MAX_ROUND_MS || stream.held.bytes >= MAX_ROUND_BYTES) stream.isClosed = true;
  }

  /** All before the place was given or is held; says so of the streams that have moved, and hands over those that wait for it. */
  async #moveTo({ position, orderKey }: Place): Promise<void> {
    if (orderKey < this.#place.orderKey) return;
    this.#place = { position, orderKey };
    for (const stream of this.#parts.streams.values()) {
      if (stream.changesAre !== 'pass') continue;
      if (stream.isTouched) {
        stream.position = position;
        await this.#parts.put(stream.state(this.#parts.run));
      }
      if (stream.phase === 'catching-up') await this.#handOver(stream);
    }
    await this.#sayShared();
  }

  /** Gives what waits up to the last commit, and the state that covers it. */
  async #release(stream: FollowedStream, now: Place = this.#place): Promise<void> {
    stream.isClosed = true;
    let covered: LogPosition;
    for await (const item of stream.held.release()) {
      if ('message' in item) await this.#putHeld(stream, item.message);
      else covered = item.covered;
    }
    const isEmpty = stream.held.size === 0;
    stream.heldSince = isEmpty ? undefined : performance.now();
    stream.pinnedAt = isEmpty ? undefined : now;
    if (covered !== undefined) {
      stream.position = covered;
      await this.#parts.put(stream.state(this.#parts.run));
    }
    this.#open(stream);
  }

  /** The last chunk is out. What was read beside the log is complete once the log has passed the head of now; what was read at a point, at once. */
  async #endLoad(stream: FollowedStream, backfill: StreamBackfill): Promise<void> {
    if (stream.beside) {
      await this.#release(stream);
      stream.handover = await this.#parts.head();
      stream.step('last chunk');
      await this.#passHeld(stream);
      return this.#handOver(stream);
    }
    const { stream: name } = stream.selected;
    if (backfill.isReplacing) await this.#parts.put([{ type: 'STATUS', stream: name, status: 'COMPLETE' }]);
    stream.step('last chunk');
    stream.step('handover');
    await this.#parts.put(stream.state(this.#parts.run));
    await this.#sayFollowing(stream);
    await this.#release(stream);
    await this.#passHeld(stream);
  }

  /** Sends a change that waited, unless the point that the chunks were read at holds it already. */
  async #putHeld({ point }: FollowedStream, message: SourceMessage): Promise<void> {
    const { put } = this.#parts;
    if (point === undefined || message.type === 'SCHEMA') return put([message]);
    if (message.type === 'TRUNCATE') return message.position > point ? put([message]) : undefined;
    if (message.type !== 'BATCH') throw new Error(`a ${message.type} was held`);
    const fresh = changesAfter(message, point);
    if (fresh) await put([{ ...message, rows: fresh.rows, body: fresh.body }]);
  }

  /** The changes of a transaction under way go on with those that follow. */
  async #passHeld(stream: FollowedStream): Promise<void> {
    if (stream.held.size === 0) return;
    await stream.held.cover(this.#place.position);
    for await (const item of stream.held.release()) {
      if ('message' in item) await this.#putHeld(stream, item.message);
    }
    stream.isTouched = true;
    stream.pinnedAt = undefined;
    stream.heldSince = undefined;
  }

  async #handOver(stream: FollowedStream): Promise<void> {
    if (stream.handover === undefined || this.#place.orderKey < stream.handover || stream.isTouched) return;
    stream.step('handover');
    stream.position = this.#place.position;
    await this.#sayFollowing(stream);
    await this.#parts.put(stream.state(this.#parts.run));
  }

  async #sayFollowing({ selected: { stream }, handover }: FollowedStream): Promise<void> {
    if (handover === undefined) throw new Error(`${stream} follows without a handover`);
    await this.#parts.put([
      { type: 'HANDOVER', stream, position: handover },
      { type: 'STATUS', stream, status: 'RUNNING' },
    ]);
  }

  async #giveUp(stream: FollowedStream): Promise<void> {
    stream.step('fail');
    await stream.held.forget();
    stream.pinnedAt ??= this.#place;
    this.#open(stream);
  }

  #open(stream: FollowedStream): void {
    stream.isClosed = false;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers();
  }

  async #sayShared(): Promise<void> {
    let { position, orderKey } = this.#place;
    for (const { pinnedAt } of this.#parts.streams.values()) {
      if (pinnedAt !== undefined && pinnedAt.orderKey < orderKey) ({ position, orderKey } = pinnedAt);
    }
    const state = this.#parts.sharedState(position);
    const text = JSON.stringify(state);
    if (text === this.#said) return;
    this.#said = text;
    await this.#parts.put([{ type: 'STATE', state }]);
  }

  #streamOf(name: string): FollowedStream {
    const stream = this.#parts.streams.get(name);
    if (!stream) throw new ConnectorError('internal_error', `${name} does not follow the change log.`);
    return stream;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
