import { isDeepStrictEqual } from 'node:util';
import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { LogPosition, OrderKey } from '../change-log.ts';
import { shapeFingerprint } from '../shape/source-view.ts';
import type { FollowingState, Opening, SharedState, StreamState } from '../stream-state.ts';

type Begun = Extract<Opening, { action: 'begin' | 'resume' }>;

/** How a run begins with a stream that follows the change log. */
export type ChangeOpening =
  | { action: 'follow'; state: FollowingState }
  /** Its rows were copied with another filter or other transforms. */
  | { action: 'refuse' }
  /** Read in short transactions beside the log: rows and changes converge by key. */
  | { action: 'load'; beside: true; opening: Begun }
  /** Read as of one consistent point, the changes after it follow (rule 7, and what replaces a table's rows). */
  | { action: 'load'; beside: false; opening: Begun };

export type OpenChanges = { number: number; /** The user asks for all of its rows again. */ isAsked: boolean };

/** Decides from the stream's state how a run begins to follow it. */
export function openChanges(state: StreamState | undefined, selected: SelectedStream, run: OpenChanges): ChangeOpening {
  const shape = shapeFingerprint(selected);
  const beside = selected.writeMode === 'upsert';
  if (!state) return { action: 'load', beside, opening: { action: 'begin', generation: 1, replace: false } };
  if (run.isAsked) return reload(state, 'all rows were read, as was asked for');
  switch (state.phase) {
    case 'following': {
      if (state.shape === shape) return { action: 'follow', state };
      const { whenChanged = 'refuse' } = selected;
      if (whenChanged === 'refuse') return { action: 'refuse' };
      if (whenChanged === 'continue') return { action: 'follow', state };
      return reload(state, 'all rows were read: its filter or transforms were changed');
    }
    case 'backfill': {
      const isSame = state.log !== undefined && state.consistency === 'chunk' && isDeepStrictEqual(state.shape, shape);
      if (beside && isSame) return { action: 'load', beside, opening: { action: 'resume', state } };
      return reload(state, 'started over: what an earlier run had read could not be continued');
    }
    case 'complete':
      return reload(state, 'all rows were read: it did not follow the change log before');
    default:
      return state satisfies never;
  }
}

function reload({ generation }: StreamState, note: string): ChangeOpening {
  return {
    action: 'load',
    beside: false,
    opening: { action: 'begin', generation: generation + 1, replace: true, note },
  };
}

/** The place that a stream's table has reached, as its state says; undefined where it holds nothing that the log goes on from. */
export function placeOf(state: StreamState | undefined): LogPosition {
  if (state?.phase === 'following') return state.position;
  return state?.phase === 'backfill' ? state.log : undefined;
}

/**
 * Where each stream goes on: a stream that the shared state counts among its members has nothing between its own place and the shared one.
 * One that was taken out of the pipeline meanwhile has missed what came since.
 */
export function placesOf(
  states: ReadonlyMap<string, StreamState | undefined>,
  { shared, orderKey }: { shared: SharedState | undefined; orderKey(position: LogPosition): OrderKey },
): { places: Map<string, LogPosition>; missed: Map<string, ConnectorError> } {
  const members = new Set(shared?.members);
  const places = new Map<string, LogPosition>();
  const missed = new Map<string, ConnectorError>();
  for (const [stream, state] of states) {
    const own = placeOf(state);
    if (own === undefined) continue;
    const common = shared?.position;
    const isBehind = common !== undefined && orderKey(own) < orderKey(common);
    if (isBehind && !members.has(stream)) missed.set(stream, takenOut(stream));
    else places.set(stream, isBehind ? common : own);
  }
  return { places, missed };
}

const takenOut = (stream: string) =>
  new ConnectorError('position_lost', `${stream} was out of the pipeline for a while, and missed what changed then.`, {
    stream,
    help: `Copy it anew with \`fjord sync --backfill ${stream}\`; readers keep the old rows meanwhile.`,
  });
