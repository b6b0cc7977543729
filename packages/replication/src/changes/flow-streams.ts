import { ConnectorError, type SourceMessage } from '@fjord/core';
import type { LogPosition, OrderKey, PlacedSnapshot } from '../change-log.ts';
import type { ReadByKey } from './complete-rows.ts';
import type { FollowedStream, Place } from './followed-stream.ts';
import type { HoldRoom } from './held-changes.ts';
import type { Phase } from './phase.ts';

/** What a run gives to the flow of its changes. */
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

/** The streams of a flow, the place that the log has come to, and what is said of both. Work on them is done one piece after the other. */
export class FlowStreams {
  readonly parts: FlowParts;
  /** Every transaction before this place was taken whole: here the log goes on after a fault. */
  place: Place;
  #turn: Promise<unknown> = Promise.resolve();
  /** The shared place that was said last. */
  #said: string | undefined;

  constructor(parts: FlowParts) {
    this.parts = parts;
    this.place = parts.place;
  }

  /** Does work after all that was asked for before. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  [Symbol.iterator](): Iterator<FollowedStream> {
    return this.parts.streams.values();
  }

  /** The stream of this name. */
  named(name: string): FollowedStream {
    const stream = this.parts.streams.get(name);
    if (!stream) throw new ConnectorError('internal_error', `${name} does not follow the change log.`);
    return stream;
  }

  /** The streams in any of the phases. */
  in(...phases: Phase[]): FollowedStream[] {
    return [...this.parts.streams.values()].filter(({ phase }) => phases.includes(phase));
  }

  put(messages: SourceMessage[]): Promise<void> {
    return this.parts.put(messages);
  }

  /** Sends the state that covers all of a stream that was given. */
  sayState(stream: FollowedStream): Promise<void> {
    return this.put(stream.state(this.parts.run));
  }

  /** Hands a stream over whose copy is complete, as soon as the log has passed the head of its last chunk and nothing given is uncovered. */
  async handOver(stream: FollowedStream): Promise<void> {
    if (stream.handover === undefined || this.place.orderKey < stream.handover || stream.isTouched) return;
    stream.step('handover');
    stream.position = this.place.position;
    await this.sayFollowing(stream);
    await this.sayState(stream);
  }

  /** What is said first of a stream that follows, in every run. */
  async sayFollowing({ selected: { stream }, handover }: FollowedStream): Promise<void> {
    if (handover === undefined) throw new Error(`${stream} follows without a handover`);
    await this.put([
      { type: 'HANDOVER', stream, position: handover },
      { type: 'STATUS', stream, status: 'RUNNING' },
    ]);
  }

  /** Says the shared place, if it moved: never beyond what a stream holds back. */
  async sayShared(): Promise<void> {
    let { position, orderKey } = this.place;
    for (const { pinnedAt } of this.parts.streams.values()) {
      if (pinnedAt !== undefined && pinnedAt.orderKey < orderKey) ({ position, orderKey } = pinnedAt);
    }
    const state = this.parts.sharedState(position);
    const text = JSON.stringify(state);
    if (text === this.#said) return;
    this.#said = text;
    await this.put([{ type: 'STATE', state }]);
  }
}
