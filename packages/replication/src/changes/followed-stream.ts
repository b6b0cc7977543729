import type { Column, SelectedStream, SourceMessage } from '@fjord/core';
import type { LogPosition, OrderKey } from '../change-log.ts';
import { shapeFingerprint, sourceView } from '../shape/source-view.ts';
import type { StreamBackfill } from '../stream-backfill.ts';
import type { StreamState } from '../stream-state.ts';
import { type ChangeShaper, createChangeShaper } from './change-shape.ts';
import { HeldChanges, type HoldRoom } from './held-changes.ts';
import { CHANGES_ARE, nextPhase, type Phase, type Step } from './phase.ts';

/** A place in the change log: the source's own word for it, and its order key. */
export type Place = { position: LogPosition; orderKey: OrderKey };

/** What is known of a stream when the run begins to follow it. */
export type StreamStart = {
  selected: SelectedStream;
  phase: 'waiting' | 'loading' | 'following' | 'failed';
  /** All changes up to here are in its table, or will be in its chunks. */
  place: Place;
  /** Whether chunks and changes alternate; else all changes wait for the last chunk. */
  beside: boolean;
  handover?: OrderKey;
  generation: number;
};

/** A stream that follows the change log: its phase, how far it is, and what of it waits. It does no I/O but for what is held. */
export class FollowedStream {
  readonly selected: SelectedStream;
  readonly beside: boolean;
  readonly held: HeldChanges;
  /** What filters and transforms its changes; undefined where they go as they come. */
  readonly shaper: ChangeShaper | undefined;
  /** Changes at or before this place were given or are held. */
  reached: OrderKey;
  /** All changes at or before this place were given. */
  position: LogPosition;
  /** The copy is complete at this place; known after the last chunk. */
  handover: OrderKey | undefined;
  backfill: StreamBackfill | undefined;
  chunksInFlight = 0;
  /** When the oldest change that waits came, by performance.now(). */
  heldSince: number | undefined;
  /** No chunk may begin until what is held was given. */
  isClosed = false;
  /** Changes were given that no state covers yet. */
  isTouched = false;
  /** The shared position must not pass this place: what is behind it was not given. */
  pinnedAt: Place | undefined;
  /** Held changes up to here are in the chunks: the point that they were read at. */
  point: OrderKey | undefined;
  /** The SCHEMA of the last version, where it was forgotten with the changes behind it. */
  unsentSchema: SourceMessage | undefined;
  rows = 0;
  bytes = 0;
  #phase: Phase;
  #schema: { version: number; columns: Column[]; primaryKey: string[] };
  #generation: number;

  constructor(start: StreamStart, room: HoldRoom, index: number) {
    this.selected = start.selected;
    this.beside = start.beside;
    this.reached = start.place.orderKey;
    this.position = start.place.position;
    this.handover = start.handover;
    this.shaper = createChangeShaper(start.selected);
    this.held = new HeldChanges(room, String(index));
    this.#phase = start.phase;
    this.#generation = start.generation;
    const { columns, primaryKey } = sourceView(start.selected);
    this.#schema = { version: 1, columns, primaryKey };
  }

  get phase(): Phase {
    return this.#phase;
  }

  get changesAre(): (typeof CHANGES_ARE)[Phase] {
    return CHANGES_ARE[this.#phase];
  }

  /** Whether a change may be of a row that the table does not hold: while it is copied, or as one that begins to match its filter. */
  get mayMissRows(): boolean {
    const { writeMode, shape } = this.selected;
    return writeMode === 'upsert' && (this.#phase !== 'following' || shape?.filter !== undefined);
  }

  /** Version of the SCHEMA that the stream's changes are of. */
  get schemaVersion(): number {
    return this.#schema.version;
  }

  /** The columns of the log's batches, without those of changes. */
  get logColumns(): Column[] {
    return this.#schema.columns;
  }

  step(step: Step): void {
    this.#phase = nextPhase(this.#phase, step);
  }

  /** Begins at another consistent point. */
  moveTo({ position, orderKey }: Place): void {
    this.position = position;
    this.handover = orderKey;
    this.point = orderKey;
    if (this.reached < orderKey) this.reached = orderKey;
  }

  /** Takes the columns that the log says; gives the SCHEMA to send, unless it is the one that was sent last. */
  takeSchema(columns: Column[], primaryKey: string[]): SourceMessage[] {
    const isSame =
      textOf(columns) === textOf(this.#schema.columns) && String(primaryKey) === String(this.#schema.primaryKey);
    if (isSame) return [];
    // What is sent of a shaped stream has the columns of its shape, whatever the log's are.
    const version = this.#schema.version + (this.shaper ? 0 : 1);
    this.#schema = { version, columns, primaryKey };
    return this.shaper ? [] : [this.schemaMessage];
  }

  get schemaMessage(): SourceMessage {
    return { type: 'SCHEMA', stream: this.selected.stream, ...this.#schema };
  }

  /** The state that covers all that was given. */
  state(run: number): SourceMessage[] {
    this.isTouched = false;
    const { stream } = this.selected;
    if (this.#phase === 'following' && this.handover !== undefined) {
      const shape = shapeFingerprint(this.selected);
      const generation = this.backfill?.generation ?? this.#generation;
      const base = { run, generation, ...(shape !== undefined && { shape }) };
      const state: StreamState = { phase: 'following', ...base, position: this.position, handover: this.handover };
      return [{ type: 'STATE', stream, state }];
    }
    if (!this.backfill?.plan) return [];
    this.backfill.logPosition = this.position;
    return [this.backfill.progress()];
  }
}

/** Names and types: what the log does not say of a column must not make a new schema. */
const textOf = (columns: readonly Column[]) => JSON.stringify(columns.map(({ name, type }) => [name, type]));
