import { asConnectorError, type RunContext, type SourceMessage } from '@fjord/core';
import type { LogEvent, OrderKey } from '../change-log.ts';
import { type ChangeBatch, changesAfter } from './change-batch.ts';
import { completeRows } from './complete-rows.ts';
import { type FlowParts, FlowStreams } from './flow-streams.ts';
import type { FollowedStream, Place } from './followed-stream.ts';
import type { Phase } from './phase.ts';
import { StreamLoads } from './stream-loads.ts';

/**
 * Where chunks and the change log of each stream meet: changes of a stream whose chunks are in flight wait, all others go on at once; states
 * never cover what waits. All that it sends it sends in one order, one call after the other.
 */
export class ChangeFlow {
  /** The half in which streams are copied. */
  readonly loads: StreamLoads;
  readonly #streams: FlowStreams;
  readonly #context: RunContext;

  constructor(parts: FlowParts, context: RunContext) {
    this.#context = context;
    this.#streams = new FlowStreams(parts);
    this.loads = new StreamLoads(this.#streams);
  }

  /** Every transaction before this place was taken whole: here the log goes on after a fault. */
  get place(): Place {
    return this.#streams.place;
  }

  /** What every run says first of the streams that follow. */
  begin(): Promise<void> {
    return this.#streams.inTurn(async () => {
      for (const stream of this.#streams.in('following')) await this.#streams.sayFollowing(stream);
      await this.#streams.sayShared();
    });
  }

  /** Takes the next event of the log. */
  take(event: LogEvent): Promise<void> {
    return this.#streams.inTurn(() => this.#take(event));
  }

  /** The streams in any of the phases. */
  streamsIn(...phases: Phase[]): FollowedStream[] {
    return this.#streams.in(...phases);
  }

  /** Says the shared place, if it moved. */
  sayShared(): Promise<void> {
    return this.#streams.inTurn(() => this.#streams.sayShared());
  }

  /**
   * Gives rows as they are at a point beyond all that was given. What the log says until there comes again on top of them, so that until
   * there no insert may be taken for a new row (rule 5).
   */
  repair(name: string, { batch, upTo }: { batch: ChangeBatch; upTo: OrderKey }): Promise<void> {
    const streams = this.#streams;
    return streams.inTurn(async () => {
      const stream = streams.named(name);
      await this.#shape(stream, batch);
      if (stream.phase !== 'following') return;
      stream.handover = upTo;
      stream.position = streams.place.position;
      await streams.sayFollowing(stream);
      await streams.sayState(stream);
      await streams.sayShared();
    });
  }

  async #take(event: LogEvent): Promise<void> {
    if (event.event === 'commit') {
      await this.loads.takeCommit(event, event.transaction);
      return this.#moveTo(event);
    }
    if (event.event === 'heartbeat') return this.#moveTo(event);
    const stream = this.#streams.parts.streams.get(event.stream);
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
    const { parts } = this.#streams;
    try {
      const completed = stream.mayMissRows
        ? await completeRows(batch, { selected, columns }, parts.readByKey)
        : undefined;
      const whole = completed ?? batch;
      if (whole.rows === 0) return;
      for (const shaped of stream.shaper?.(whole, columns) ?? [whole]) await this.#giveChanges(stream, shaped);
    } catch (thrown) {
      const error = asConnectorError(thrown);
      if (error.stream !== selected.stream) throw error;
      this.#context.report(error);
      await this.loads.giveUp(stream);
      await parts.put([{ type: 'STATUS', stream: selected.stream, status: 'INCOMPLETE', reason: error.message }]);
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
    if (stream.changesAre !== 'pass') return this.loads.hold(stream, messages);
    stream.isTouched = true;
    await this.#streams.put(messages);
  }

  async #drop(stream: FollowedStream, position: OrderKey): Promise<void> {
    const { stream: name } = stream.selected;
    this.#context.log('warn', 'the table was dropped in the source, its copy is kept', { stream: name });
    await stream.held.forget();
    stream.pinnedAt = undefined;
    stream.isTouched = true;
    await this.#streams.put([{ type: 'DROPPED', stream: name, position }]);
    await this.#streams.sayState(stream);
    stream.step('drop');
  }

  /** All before the place was given or is held; says so of the streams that have moved, and hands over those that wait for it. */
  async #moveTo({ position, orderKey }: Place): Promise<void> {
    if (orderKey < this.place.orderKey) return;
    this.#streams.place = { position, orderKey };
    for (const stream of this.#streams) {
      if (stream.changesAre !== 'pass') continue;
      if (stream.isTouched) {
        stream.position = position;
        await this.#streams.sayState(stream);
      }
      if (stream.phase === 'catching-up') await this.#streams.handOver(stream);
    }
    await this.#streams.sayShared();
  }
}
