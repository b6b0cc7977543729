import type { SourceMessage } from '@fjord/core';
import type { LogPosition } from '../change-log.ts';
import type { HeldSnapshot } from '../database.ts';
import type { StreamBackfill } from '../stream-backfill.ts';
import { changesAfter } from './change-batch.ts';
import type { FlowStreams } from './flow-streams.ts';
import type { FollowedStream, Place } from './followed-stream.ts';
import type { LoadGate } from './load-gate.ts';
import { VisibleTransactions } from './visible-transactions.ts';

/** Changes wait for a stream's chunks at most about this long, or until they are this many: then no more chunks begin until they are given. */
const MAX_ROUND_MS = 15_000;
const MAX_ROUND_BYTES = 32 * 1024 * 1024;

/** The half of the flow in which streams are copied: when chunks may be read, and what waits for them. */
export class StreamLoads implements LoadGate {
  readonly transactions = new VisibleTransactions();
  readonly #streams: FlowStreams;
  #opened = Promise.withResolvers<void>();

  constructor(streams: FlowStreams) {
    this.#streams = streams;
  }

  /** Whether chunks are still to be read. */
  get areUnderWay(): boolean {
    return this.#streams.in('waiting', 'loading').length > 0;
  }

  /** Waits while what is held is as much as may be, if chunks will end that. */
  async untilRoom(): Promise<void> {
    const isHeldByPoint = () => this.#streams.in('loading').some(({ beside }) => !beside);
    while (this.#streams.parts.room.isFull && isHeldByPoint()) await this.#opened.promise;
  }

  /** A wait for the time when chunks of the stream may begin again; undefined while they may. */
  closedUntil({ selected }: StreamBackfill): Promise<void> | undefined {
    return this.#streams.named(selected.stream).isClosed ? this.#opened.promise : undefined;
  }

  /** The stream's chunks begin: from here on its changes wait for them. */
  loadBegun(backfill: StreamBackfill): void {
    const stream = this.#streams.named(backfill.selected.stream);
    stream.backfill = backfill;
    if (stream.phase === 'waiting') {
      // What waits are the first changes of a transaction under way; all before are in the chunks to come.
      stream.position = this.#streams.place.position;
      stream.step('begin');
    }
    backfill.logPosition = stream.position;
  }

  chunkBegun({ selected }: StreamBackfill): void {
    this.#streams.named(selected.stream).chunksInFlight += 1;
  }

  chunkEnded(backfill: StreamBackfill): Promise<void> {
    this.#streams.named(backfill.selected.stream).chunksInFlight -= 1;
    return this.loadEnded(backfill);
  }

  /** Gives what waited for the chunks that are out, and goes on to the handover after the last one. */
  loadEnded(backfill: StreamBackfill): Promise<void> {
    return this.#streams.inTurn(async () => {
      const stream = this.#streams.named(backfill.selected.stream);
      if (stream.chunksInFlight > 0 || !['waiting', 'loading'].includes(stream.phase)) return;
      if (backfill.hasFailed) await this.giveUp(stream);
      else if (backfill.hasEnded) await this.#end(stream, backfill);
      else if (stream.beside) await this.#release(stream);
    });
  }

  /** What its table holds goes, where nothing is staged beside it. */
  startedOver({ selected }: StreamBackfill): Promise<SourceMessage[]> {
    const { beside, phase } = this.#streams.named(selected.stream);
    if (!beside || phase === 'waiting') return Promise.resolve([]);
    return Promise.resolve([{ type: 'TRUNCATE', stream: selected.stream, position: this.#streams.place.orderKey }]);
  }

  async holdSnapshot({ selected }: StreamBackfill): Promise<HeldSnapshot> {
    const { snapshot, orderKey } = await this.#streams.parts.holdSnapshot();
    this.#streams.named(selected.stream).moveTo({ position: snapshot.position, orderKey });
    return snapshot;
  }

  /** Keeps messages of a stream until its chunks are out. */
  async hold(stream: FollowedStream, messages: SourceMessage[]): Promise<void> {
    stream.heldSince ??= performance.now();
    stream.pinnedAt ??= this.#streams.place;
    for (const message of messages) await stream.held.add(message);
  }

  /** A transaction is over: streams that no chunk was read of forget it, for the chunks to come will hold it; for others it is covered. */
  async takeCommit(place: Place, transaction: string): Promise<void> {
    if (this.areUnderWay) this.transactions.add(transaction);
    for (const stream of this.#streams) {
      if (stream.phase === 'waiting') await forget(stream);
      else if (stream.phase === 'loading') await this.#cover(stream, place);
    }
  }

  /** Gives a stream up: what waits is dropped, and the log stays where it is needed to begin again. */
  async giveUp(stream: FollowedStream): Promise<void> {
    stream.step('fail');
    await stream.held.forget();
    stream.pinnedAt ??= this.#streams.place;
    this.#open(stream);
  }

  async #cover(stream: FollowedStream, place: Place): Promise<void> {
    await stream.held.cover(place.position);
    if (!stream.beside || !stream.held.hasCovered) return;
    if (stream.chunksInFlight === 0) return this.#release(stream, place);
    const waitedMs = performance.now() - (stream.heldSince ?? performance.now());
    if (waitedMs >= MAX_ROUND_MS || stream.held.bytes >= MAX_ROUND_BYTES) stream.isClosed = true;
  }

  /** Gives what waits up to the last commit, and the state that covers it. */
  async #release(stream: FollowedStream, now: Place = this.#streams.place): Promise<void> {
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
      await this.#streams.sayState(stream);
    }
    this.#open(stream);
  }

  /** The last chunk is out. What was read beside the log is complete once the log has passed the head of now; what was read at a point, at once. */
  async #end(stream: FollowedStream, backfill: StreamBackfill): Promise<void> {
    const streams = this.#streams;
    if (stream.beside) {
      await this.#release(stream);
      stream.handover = await streams.parts.head();
      stream.step('last chunk');
      await this.#passHeld(stream);
      return streams.handOver(stream);
    }
    const { stream: name } = stream.selected;
    if (backfill.isReplacing) await streams.put([{ type: 'STATUS', stream: name, status: 'COMPLETE' }]);
    stream.step('last chunk');
    stream.step('handover');
    await streams.sayState(stream);
    await streams.sayFollowing(stream);
    await this.#release(stream);
    await this.#passHeld(stream);
  }

  /** Sends a change that waited, unless the point that the chunks were read at holds it already. */
  async #putHeld({ point }: FollowedStream, message: SourceMessage): Promise<void> {
    const streams = this.#streams;
    if (point === undefined || message.type === 'SCHEMA') return streams.put([message]);
    if (message.type === 'TRUNCATE') return message.position > point ? streams.put([message]) : undefined;
    if (message.type !== 'BATCH') throw new Error(`a ${message.type} was held`);
    const fresh = changesAfter(message, point);
    if (fresh) await streams.put([{ ...message, rows: fresh.rows, body: fresh.body }]);
  }

  /** The changes of a transaction under way go on with those that follow. */
  async #passHeld(stream: FollowedStream): Promise<void> {
    if (stream.held.size === 0) return;
    await stream.held.cover(this.#streams.place.position);
    for await (const item of stream.held.release()) {
      if ('message' in item) await this.#putHeld(stream, item.message);
    }
    stream.isTouched = true;
    stream.pinnedAt = undefined;
    stream.heldSince = undefined;
  }

  #open(stream: FollowedStream): void {
    stream.isClosed = false;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers();
  }
}

async function forget(stream: FollowedStream): Promise<void> {
  await stream.held.forget();
  if (stream.schemaVersion > 1) stream.unsentSchema = stream.schemaMessage;
  stream.pinnedAt = undefined;
  stream.heldSince = undefined;
}
