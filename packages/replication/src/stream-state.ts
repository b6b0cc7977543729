import { type Static, Type } from '@sinclair/typebox';
import type { WriteMode } from '@fjord/core';

const PlanSchema = Type.Object({ identity: Type.String(), chunks: Type.Integer(), layout: Type.Unsafe<unknown>({}) });

/**
 * A stream's own state. `generation` counts its backfills, `run` is the run that the last one belongs to. Between them:
 *
 *   (nothing) ─begin─> backfill ─chunk done─> backfill ─last chunk─> complete ─overwrite, next run─> backfill
 */
export const StreamStateSchema = Type.Union([
  Type.Object({
    phase: Type.Literal('backfill'),
    run: Type.Integer(),
    generation: Type.Integer(),
    replace: Type.Boolean(),
    plan: PlanSchema,
    done: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
  }),
  Type.Object({ phase: Type.Literal('complete'), run: Type.Integer(), generation: Type.Integer() }),
]);
export type StreamState = Static<typeof StreamStateSchema>;
export type BackfillState = Extract<StreamState, { phase: 'backfill' }>;

/** The state shared by all streams: which run this is, and whether it reached its end. A run that did not is continued, not repeated. */
export const SharedStateSchema = Type.Object({ run: Type.Integer(), ended: Type.Boolean() });
export type SharedState = Static<typeof SharedStateSchema>;

/** What a run does first with a stream. */
export type Opening =
  | { action: 'skip' }
  | { action: 'resume'; state: BackfillState }
  | { action: 'begin'; generation: number; replace: boolean };

/** The number of this run: the next one, or the same again if the last did not reach its end. */
export function runNumber(shared: SharedState | undefined): number {
  if (!shared) return 1;
  return shared.ended ? shared.run + 1 : shared.run;
}

/** Decides from the stream's state how this run begins with it. */
export function openStream(
  state: StreamState | undefined,
  run: { number: number; writeMode: WriteMode; consistency: 'snapshot' | 'chunk' },
): Opening {
  if (!state) return { action: 'begin', generation: 1, replace: run.writeMode === 'overwrite' };
  switch (state.phase) {
    case 'complete':
      if (run.writeMode === 'append' || state.run === run.number) return { action: 'skip' };
      return { action: 'begin', generation: state.generation + 1, replace: true };
    case 'backfill':
      if (run.consistency === 'chunk') return { action: 'resume', state };
      // Chunks of other moments are in the table already: one snapshot of all rows has to replace them.
      return { action: 'begin', generation: state.generation + 1, replace: true };
    default:
      return state satisfies never;
  }
}
