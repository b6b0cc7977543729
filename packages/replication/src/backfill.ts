import { constants, setPriority } from 'node:os';
import {
  ConnectorError,
  type ReadRequest,
  type RunContext,
  type SelectedStream,
  type SourceMessage,
} from '@fjord/core';
import type { Outgoing } from './chunk-lane.ts';
import { ChunkSchedule } from './chunk-schedule.ts';
import { openPoint } from './consistent-point.ts';
import type { Database } from './database.ts';
import { Mailbox } from './mailbox.ts';
import type { Consistency, ReplicationOptions } from './options.ts';
import { countReaders, runReaders, sendAll, watchLoad } from './readers.ts';
import { shapeFingerprint } from './shape/source-view.ts';
import { type Opening, openStream, runNumber, type SharedState, type StreamState } from './stream-state.ts';

export type BackfillRun = ReadRequest<unknown, unknown> & {
  options: ReplicationOptions;
  module: string;
  open(config: unknown, context: RunContext): Promise<Database>;
};

/** Reads the selected streams, several chunks at a time. One stream's fault leaves the others running; a lost snapshot or signal ends the run. */
export async function* runBackfill(run: BackfillRun, context: RunContext): AsyncGenerator<SourceMessage> {
  // Where the server shares the machine, it goes first; threads that are started later inherit it.
  if (run.options.profile === 'gentle') setPriority(constants.priority.PRIORITY_LOW);
  if (run.streams.some(({ changes }) => changes)) {
    const { runChanges } = await import('./changes/run-changes.ts');
    return yield* runChanges(run, context);
  }
  // States are this package's own, written by `StreamBackfill` and checked by the destination to be the latest.
  const shared = (run.sharedState ?? undefined) as SharedState | undefined;
  const number = runNumber(shared);
  const { options } = run;
  const first = openStreams(run, number, options.consistency);
  for (const { selected, opening } of first) if (opening.action === 'refuse') yield refuse(selected, context);
  if (first.every(({ opening }) => hasNothingToRead(opening))) {
    if (shared && !shared.ended) yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
    return;
  }
  yield { type: 'STATE', state: { run: number, ended: false } satisfies SharedState };
  await using database = await run.open(run.config, context);
  const point = await openPoint(database, options.consistency, context);
  const openings = openStreams(run, number, point.consistency);
  const readers = await countReaders(database, options, context);
  await using schedule = new ChunkSchedule({ database, openings, run: number, options, readers, point }, context);
  using watch = watchLoad(database, options, context);
  const mailbox = new Mailbox<Outgoing>(readers);
  yield* sendAll(mailbox, context, (stoppable) => runReaders(run, { schedule, watch, readers, mailbox }, stoppable));
  yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
}

/** How this run begins with each of its streams that end. */
export function openStreams(run: Pick<BackfillRun, 'streams' | 'states'>, number: number, consistency: Consistency) {
  return run.streams.map((selected) => {
    const state = (run.states.get(selected.stream) ?? undefined) as StreamState | undefined;
    const { writeMode, incremental, whenChanged } = selected;
    const shape = shapeFingerprint(selected);
    const opening = openStream(state, { number, writeMode, consistency, incremental, shape, whenChanged });
    return { selected, opening };
  });
}

export const hasNothingToRead = ({ action }: Opening) => action === 'skip' || action === 'refuse';

/** Gives up a stream whose rows were copied with another filter or other transforms. */
export function refuse({ stream }: SelectedStream, context: RunContext): SourceMessage {
  const message = `The rows of ${stream} were copied with another filter or other transforms than the pipeline has now.`;
  context.report(new ConnectorError('shape_changed', message, { stream }));
  return { type: 'STATUS', stream, status: 'INCOMPLETE', reason: message };
}
