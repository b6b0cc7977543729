import { type Static, Type } from '@fjord/core/schema';
import type { Incremental, WhenChanged, WriteMode } from '@fjord/core';
import { isDeepStrictEqual } from 'node:util';
import { ConsistencySchema, type Consistency } from './options.ts';

const PlanSchema = Type.Object({
  identity: Type.String(),
  units: Type.Integer(),
  isWhole: Type.Boolean(),
  layout: Type.Unsafe<unknown>({}),
});

/** What an increment has to know of the last one: the source's own boundary, and by which columns it was taken. */
const CursorSchema = Type.Object({
  columns: Type.Array(Type.String()),
  fallback: Type.Optional(Type.String()),
  boundary: Type.Unsafe<unknown>({}),
});

// The fingerprint of the filter and transforms that the rows were copied with; absent if there were none.
const Fingerprint = Type.Optional(Type.String());

/**
 * A stream's own state. `generation` counts its backfills and increments, `run` is the run that the last one belongs to. Between them:
 *
 *   (nothing) ─begin─> backfill ─chunk done─> backfill ─last chunk─> complete ─overwrite or increment, next run─> …
 *
 * Only what can be resumed chunk by chunk has the phase `backfill`; all else goes from one `complete` to the next in one commit. A stream
 * that follows the change log goes from `backfill`, or from nothing, to `following` and stays there; changes/phase.ts has its steps.
 */
export const StreamStateSchema = Type.Union([
  Type.Object({
    phase: Type.Literal('backfill'),
    run: Type.Integer(),
    generation: Type.Integer(),
    replace: Type.Boolean(),
    consistency: ConsistencySchema,
    plan: PlanSchema,
    /** Units that are done, as half-open ranges. */
    done: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
    /** Where the stream follows the change log: up to here its changes were given too. */
    log: Type.Optional(Type.Unsafe<unknown>({})),
    shape: Fingerprint,
  }),
  Type.Object({
    phase: Type.Literal('following'),
    run: Type.Integer(),
    generation: Type.Integer(),
    /** All changes up to here were given. */
    position: Type.Unsafe<unknown>({}),
    /** The order key beyond which a created row is new: its copy was complete there. */
    handover: Type.String(),
    shape: Fingerprint,
  }),
  Type.Object({
    phase: Type.Literal('complete'),
    run: Type.Integer(),
    generation: Type.Integer(),
    cursor: Type.Optional(CursorSchema),
    shape: Fingerprint,
  }),
]);
export type StreamState = Static<typeof StreamStateSchema>;
export type BackfillState = Extract<StreamState, { phase: 'backfill' }>;
export type CompleteState = Extract<StreamState, { phase: 'complete' }>;
export type FollowingState = Extract<StreamState, { phase: 'following' }>;

/**
 * The state shared by all streams: which run this is, and whether it reached its end (of the streams that have one). A run that did not is
 * continued, not repeated. `position` is where the change log goes on: no member has changes before it that were not given.
 */
export const SharedStateSchema = Type.Object({
  run: Type.Integer(),
  ended: Type.Boolean(),
  position: Type.Optional(Type.Unsafe<unknown>({})),
  members: Type.Optional(Type.Array(Type.String())),
});
export type SharedState = Static<typeof SharedStateSchema>;

/** What a run does first with a stream. `since` is the boundary from which an increment goes on; `note` is for the run's summary. */
export type Opening =
  | { action: 'skip' }
  /** Its rows were copied with another filter or other transforms, and nobody has said what is to become of them. */
  | { action: 'refuse' }
  | { action: 'resume'; state: BackfillState }
  | { action: 'begin'; generation: number; replace: boolean; since?: unknown; note?: string };

/** The number of this run: the next one, or the same again if the last did not reach its end. */
export function runNumber(shared: SharedState | undefined): number {
  if (!shared) return 1;
  return shared.ended ? shared.run + 1 : shared.run;
}

/** What a run knows of a stream: `shape` is the fingerprint of its filter and transforms now, `whenChanged` what a new one means. */
export type OpenRun = {
  number: number;
  writeMode: WriteMode;
  consistency: Consistency;
  incremental?: Incremental | undefined;
  shape?: string | undefined;
  whenChanged?: WhenChanged | undefined;
};

/** Decides from the stream's state how this run begins with it. */
export function openStream(state: StreamState | undefined, run: OpenRun): Opening {
  if (!state) return { action: 'begin', generation: 1, replace: run.writeMode === 'overwrite' };
  switch (state.phase) {
    case 'complete':
      return openComplete(state, run);
    case 'backfill':
      if (state.shape !== run.shape) return copyAnew(state);
      if (state.consistency === run.consistency && run.consistency !== 'snapshot' && !run.incremental && !state.log) {
        return { action: 'resume', state };
      }
      // Chunks of other moments are in the table already: rows of one moment, or cut another way, have to replace them.
      return {
        action: 'begin',
        generation: state.generation + 1,
        replace: true,
        note: `started over: what an earlier run had read in consistency "${state.consistency}" could not be continued`,
      };
    case 'following':
      return {
        action: 'begin',
        generation: state.generation + 1,
        replace: true,
        note: 'all rows were read: it followed the change log before',
      };
    default:
      return state satisfies never;
  }
}

/** A table half of one shape and half of another would be of no use. */
function copyAnew({ generation }: StreamState): Opening {
  const note = 'all rows were read: its filter or transforms were changed';
  return { action: 'begin', generation: generation + 1, replace: true, note };
}

function openComplete(state: CompleteState, run: OpenRun): Opening {
  const { number, writeMode, incremental, whenChanged = 'refuse' } = run;
  if (state.shape !== run.shape) {
    if (writeMode === 'overwrite' || whenChanged === 'backfill') return copyAnew(state);
    if (whenChanged === 'refuse') return { action: 'refuse' };
  }
  if (state.run === number) return { action: 'skip' };
  const next = { action: 'begin', generation: state.generation + 1 } as const;
  if (!incremental) return writeMode === 'append' ? { action: 'skip' } : { ...next, replace: true };
  const { cursor } = state;
  const isSame = isDeepStrictEqual([cursor?.columns, cursor?.fallback], [incremental.cursor, incremental.fallback]);
  if (cursor && isSame) return { ...next, replace: false, since: cursor.boundary };
  const why = cursor ? 'its cursor was changed' : 'it was no incremental stream before';
  return { ...next, replace: true, note: `all rows were read: ${why}` };
}
